// Command merkle_reference asks transparency-dev/merkle whether Merkle proofs hold.
//
// It reads cases from standard input, one JSON object a line, and answers each with true or false on a line.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// question is an inclusion (Low is the leaf's index, High the size, First the leaf's hash, Last the root)
// or a consistency (Low and High are the sizes, First and Last the roots).
type question struct {
	Kind  string
	Low   uint64
	High  uint64
	First []byte
	Last  []byte
	Proof [][]byte
}

func holds(q question) bool {
	switch q.Kind {
	case "inclusion":
		return proof.VerifyInclusion(rfc6962.DefaultHasher, q.Low, q.High, q.First, q.Proof, q.Last) == nil
	case "consistency":
		return proof.VerifyConsistency(rfc6962.DefaultHasher, q.Low, q.High, q.Proof, q.First, q.Last) == nil
	}
	log.Fatalf("unknown kind %q", q.Kind)
	return false
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			log.Fatal(err)
		}
		fmt.Println(holds(q))
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}
