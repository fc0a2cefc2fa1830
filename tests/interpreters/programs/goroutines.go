// Goroutines with a channel, garbage that is collected, a child process, a signal.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
)

func main() {
	if len(os.Args) > 1 {
		fmt.Print("child")
		return
	}
	sums := make(chan int)
	for n := 0; n < 200; n++ {
		go func(n int) {
			kept := make([][]byte, 0)
			for i := 0; i < 50; i++ {
				kept = append(kept, make([]byte, 4096))
			}
			sums <- len(kept) * n
		}(n)
	}
	sum := 0
	for n := 0; n < 200; n++ {
		sum += <-sums
	}
	runtime.GC()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	seen := <-signals
	said, err := exec.Command(os.Args[0], "child").Output()
	fmt.Println(sum, seen, string(said), err)
}
