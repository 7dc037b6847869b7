package webhook

import (
	"encoding/binary"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/bpf"
)

// insideVariable tells this program that it runs in a network of its own.
const insideVariable = "POSTERN_TEST_NETWORK_OF_ITS_OWN"

// I-54: in a network where every address that there is leads here, the real
// client gets what strangers may name, and each packet is looked at.
func TestI54_NoPacketReachesABlockedAddress(t *testing.T) {
	if os.Getenv(insideVariable) != "" {
		nothingGoesInside(t, newEverywhere(t))
		return
	}
	run := func(flags uintptr) (string, error) {
		c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		c.Env = append(os.Environ(), insideVariable+"=1", "HTTP_PROXY="+proxy, "HTTPS_PROXY="+proxy, "ALL_PROXY="+proxy)
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
		if flags&syscall.CLONE_NEWUSER != 0 {
			c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
			c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
		}
		out, err := c.CombinedOutput()
		return string(out), err
	}
	out, err := run(syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET)
	if err != nil && out == "" { // root may where others may not
		out, err = run(syscall.CLONE_NEWNET)
	}
	switch {
	case err != nil && out == "", strings.Contains(out, "--- SKIP"):
		// The same is named to the dialler in TestI54_NothingThatIsNamedIsDialledInside.
		t.Logf("no packet was looked at: this machine lets nobody have a network of his own (%v). "+
			"In a container, allow it with --cap-add SYS_ADMIN --cap-add NET_ADMIN, or --privileged\n%s", err, out)
	case err != nil || strings.Count(out, "packets went to") != 3:
		t.Errorf("%v\n%s", err, out)
	default:
		t.Log(out)
	}
}

// everywhere is a network whose every address is here, and what goes over it. Where
// the kernel cannot make one, the test inside is skipped, and the one outside says so.
type everywhere struct {
	mu   sync.Mutex
	past map[netip.AddrPort]bool
}

func newEverywhere(t *testing.T) *everywhere {
	e := &everywhere{past: map[netip.AddrPort]bool{}}
	const up, loopback = syscall.IFF_UP, 1
	link := binary.NativeEndian.AppendUint32([]byte{syscall.AF_UNSPEC, 0, 0, 0}, loopback)
	netlink(t, syscall.RTM_NEWLINK, binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(link, up), up))
	for _, family := range []byte{syscall.AF_INET, syscall.AF_INET6} {
		route := []byte{family, 0, 0, 0, syscall.RT_TABLE_LOCAL, syscall.RTPROT_STATIC, syscall.RT_SCOPE_HOST, syscall.RTN_LOCAL, 0, 0, 0, 0}
		route = binary.NativeEndian.AppendUint16(binary.NativeEndian.AppendUint16(route, 8), syscall.RTA_OIF)
		netlink(t, syscall.RTM_NEWROUTE, binary.NativeEndian.AppendUint32(route, loopback))
	}
	e.listen(t)
	// The one who answers sends on to the inside (WH-08).
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.ParseIP(outsiders[1]), Port: hookPort})
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { l.Close() })
	go http.Serve(l, http.RedirectHandler("http://10.0.0.5:8443/", http.StatusTemporaryRedirect))
	return e
}

// netlink asks the kernel for a change of this network.
func netlink(t *testing.T, kind uint16, body []byte) {
	t.Helper()
	s, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.NETLINK_ROUTE)
	if err != nil {
		t.Skip(err)
	}
	defer syscall.Close(s)
	m := binary.NativeEndian.AppendUint32(nil, uint32(syscall.NLMSG_HDRLEN+len(body)))
	m = binary.NativeEndian.AppendUint16(m, kind)
	m = binary.NativeEndian.AppendUint16(m, syscall.NLM_F_REQUEST|syscall.NLM_F_ACK|syscall.NLM_F_CREATE)
	m = append(append(m, make([]byte, 8)...), body...)
	if err := syscall.Sendto(s, m, 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		t.Skip(err)
	}
	answer := make([]byte, 4096)
	n, _, err := syscall.Recvfrom(s, answer, 0)
	if err != nil || n < syscall.NLMSG_HDRLEN+4 {
		t.Skipf("netlink: %d bytes, %v", n, err)
	}
	if code := int32(binary.NativeEndian.Uint32(answer[syscall.NLMSG_HDRLEN:])); code != 0 {
		t.Skipf("netlink: %v", syscall.Errno(-code))
	}
}

const packetStatistics = 6 // of linux/if_packet.h

// beginning lets the kernel keep for us only what `see` wants: of TCP the first packet
// of a connection, and whatever is not TCP. What goes on after it is ten times as much,
// and a machine that has little to spare would drop some of all.
var beginning = []bpf.Instruction{
	bpf.LoadAbsolute{Off: 0, Size: 1},
	bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4},
	bpf.JumpIf{Cond: bpf.JumpEqual, Val: 4, SkipTrue: 4},
	// IPv6: TCP's flags stand behind a header of 40 bytes.
	bpf.LoadAbsolute{Off: 6, Size: 1},
	bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: syscall.IPPROTO_TCP, SkipTrue: 8},
	bpf.LoadAbsolute{Off: 40 + 13, Size: 1},
	bpf.Jump{Skip: 4},
	// IPv4: behind one that says how long it is.
	bpf.LoadAbsolute{Off: 9, Size: 1},
	bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: syscall.IPPROTO_TCP, SkipTrue: 4},
	bpf.LoadMemShift{Off: 0},
	bpf.LoadIndirect{Off: 13, Size: 1},
	bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: syn | ack},
	bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: syn, SkipTrue: 1},
	bpf.RetConstant{Val: 1 << 16},
	bpf.RetConstant{Val: 0},
}

const syn, ack = 0x02, 0x10

// listen looks at every packet, wherever it goes.
func (e *everywhere) listen(t *testing.T) {
	t.Helper()
	const all = syscall.ETH_P_ALL>>8 | syscall.ETH_P_ALL&0xff<<8 // in the network's byte order
	s, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, all)
	if err != nil {
		t.Skip(err)
	}
	wanted, err := bpf.Assemble(beginning)
	if err != nil {
		t.Fatal(err)
	}
	filter := make([]syscall.SockFilter, len(wanted))
	for i, op := range wanted {
		filter[i] = syscall.SockFilter{Code: op.Op, Jt: op.Jt, Jf: op.Jf, K: op.K}
	}
	if err := syscall.AttachLsf(s, filter); err != nil {
		t.Fatal(err)
	}
	// As much room as the kernel gives, in case that this process does not get to run.
	if err := syscall.SetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_RCVBUF, 16<<20); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The structure tpacket_stats: how many packets there were, and how many were
		// dropped unseen.
		counts, err := syscall.GetsockoptIPMreq(s, syscall.SOL_PACKET, packetStatistics)
		if err != nil || counts.Interface != [4]byte{} {
			t.Errorf("packets were dropped before they were looked at: %v, %v", counts, err)
		}
	})
	go func() {
		packet := make([]byte, 1<<16)
		for {
			n, _, err := syscall.Recvfrom(s, packet, 0)
			if err != nil {
				return
			}
			e.see(packet[:n])
		}
	}()
}

// see keeps where a packet goes that begins something: TCP's first, and any other.
func (e *everywhere) see(p []byte) {
	var to netip.Addr
	var protocol byte
	switch {
	case len(p) >= 20 && p[0]>>4 == 4:
		to, _ = netip.AddrFromSlice(p[16:20])
		protocol, p = p[9], p[int(p[0]&15)*4:]
	case len(p) >= 40 && p[0]>>4 == 6:
		to, _ = netip.AddrFromSlice(p[24:40])
		protocol, p = p[6], p[40:]
	}
	switch {
	case protocol == syscall.IPPROTO_TCP && len(p) > 13 && p[13]&(syn|ack) == syn:
	case protocol == syscall.IPPROTO_UDP && len(p) > 4:
	default:
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.past[netip.AddrPortFrom(to, binary.BigEndian.Uint16(p[2:]))] = true
}

// client is the real one.
func (e *everywhere) client(t *testing.T, g *guard, z *zone) *http.Transport {
	usual := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = usual })
	net.DefaultResolver = names(t, z.resolve)
	return newClient(g)
}

// reached sends a packet of its own and waits for it: by then all before it have
// been looked at.
func (e *everywhere) reached(t *testing.T) map[netip.AddrPort]bool {
	const last = "198.51.100.77:7"
	if c, err := net.Dial("tcp", last); err == nil {
		c.Close()
	}
	mark := netip.MustParseAddrPort(last)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		e.mu.Lock()
		past := e.past
		if past[mark] {
			e.past = map[netip.AddrPort]bool{}
		}
		e.mu.Unlock()
		if past[mark] {
			delete(past, mark)
			return past
		}
		if time.Now().After(end) {
			t.Fatal("after 10 s our own last packet has not been seen")
		}
	}
}
