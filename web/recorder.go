package web

import "net/http"

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int // 0: nothing yet
	bytes  int64
}

// WriteHeader passes the status on; informational ones are not the answer yet.
func (rec *recorder) WriteHeader(status int) {
	if rec.status == 0 && status >= 200 {
		rec.status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

// Write counts what went out.
func (rec *recorder) Write(p []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(p)
	rec.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

// cut closes the connection under an answer that cannot be finished. HTTP/2 has no such way; there the answer ends as it is.
func (rec *recorder) cut() {
	if conn, _, err := http.NewResponseController(rec.ResponseWriter).Hijack(); err == nil {
		conn.Close()
	}
}
