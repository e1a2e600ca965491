// Package sheets reads and writes tables of text: CSV in the shapes that spreadsheets and HR systems write, XLSX, and JSON lines.
// It knows rows, cells and limits, and nothing about people: what a column means is decided above.
package sheets
