// The peer of bench/erasure.bench.ts: klauspost/reedsolomon with one goroutine. Reads lines of "operation k m bytes times",
// answers each with the seconds that so many operations on shards of so many bytes took.
package main

import (
	"bufio"
	"fmt"
	"os"
	"time"

	"github.com/klauspost/reedsolomon"
)

func main() {
	requests := bufio.NewScanner(os.Stdin)
	for requests.Scan() {
		var operation string
		var k, m, bytes, times int
		if _, err := fmt.Sscan(requests.Text(), &operation, &k, &m, &bytes, &times); err != nil {
			panic(err)
		}
		fmt.Println(measure(operation, k, m, bytes, times))
	}
}

func measure(operation string, k, m, bytes, times int) float64 {
	code, err := reedsolomon.New(k, m, reedsolomon.WithMaxGoroutines(1))
	if err != nil {
		panic(err)
	}
	shards := make([][]byte, k+m)
	for index := range shards {
		shards[index] = make([]byte, bytes)
		for at := range shards[index] {
			shards[index][at] = byte(at*(index+1) + at>>8)
		}
	}
	lost := min(k, m)
	var elapsed time.Duration
	// The first time is not counted: it pays for page faults and caches.
	for run := 0; run <= times; run++ {
		if operation == "reconstruct" {
			for index := 0; index < lost; index++ {
				shards[index] = shards[index][:0]
			}
		}
		start := time.Now()
		if operation == "encode" {
			err = code.Encode(shards)
		} else {
			err = code.ReconstructData(shards)
		}
		if err != nil {
			panic(err)
		}
		if run > 0 {
			elapsed += time.Since(start)
		}
	}
	return elapsed.Seconds()
}
