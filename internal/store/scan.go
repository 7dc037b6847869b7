package store

import "context"

// scanner is a row, alone (*sql.Row) or one of many (*sql.Rows).
type scanner interface{ Scan(into ...any) error }

// each hands every row that a statement finds to scan. The rows are closed before
// it returns, so that another statement can run.
func each(ctx context.Context, q querier, scan func(scanner) error, query string, args ...any) error {
	rows, err := q.rows(ctx, query, args...)
	if err != nil {
		return q.trouble(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return q.trouble(err)
		}
	}
	return q.trouble(rows.Err())
}

// collect reads every row that a statement finds.
func collect[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	var list []T
	err := each(ctx, q, func(row scanner) error {
		one, err := scan(row)
		list = append(list, one)
		return err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return list, nil
}

// column reads the only column of every row that a statement finds.
func column[T any](ctx context.Context, q querier, query string, args ...any) ([]T, error) {
	return collect(ctx, q, func(row scanner) (one T, err error) {
		err = row.Scan(&one)
		return one, err
	}, query, args...)
}

// exists runs a statement that counts, and reports whether it found anything.
func (db *DB) exists(ctx context.Context, query string, args ...any) (bool, error) {
	var n int
	err := read{db}.row(ctx, query, args...).Scan(&n)
	return n > 0, db.trouble(err)
}
