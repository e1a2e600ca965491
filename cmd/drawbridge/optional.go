package main

import (
	"fmt"
	"strconv"
	"time"
)

// optional is a flag that tells whether it was given.
type optional[T bool | int | time.Duration] struct{ value *T }

// String returns the value as it is typed, "" when there is none.
func (o *optional[T]) String() string {
	if o.value == nil {
		return ""
	}
	return fmt.Sprint(*o.value)
}

// Set reads a value.
func (o *optional[T]) Set(text string) error {
	var v T
	var err error
	switch p := any(&v).(type) {
	case *bool:
		*p, err = strconv.ParseBool(text)
	case *int:
		*p, err = strconv.Atoi(text)
	case *time.Duration:
		*p, err = time.ParseDuration(text)
	}
	if err != nil {
		return err
	}
	o.value = &v
	return nil
}

// Type is the word of the help.
func (o *optional[T]) Type() string { return fmt.Sprintf("%T", *new(T)) }

// or returns the value, or another when there is none.
func (o *optional[T]) or(otherwise T) T {
	if o.value == nil {
		return otherwise
	}
	return *o.value
}
