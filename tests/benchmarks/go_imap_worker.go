// A seat of the benchmark: go-imap, version 1, with everything parsed. worker.py describes the requests and answers.
//
// other_languages.py builds and starts it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/emersion/go-imap"
	"github.com/emersion/go-imap/client"
)

type request struct {
	Do     string
	Port   int
	User   string
	Folder string
	Call   string
	Items  []string
}

type seat struct {
	connection *client.Client
	call       string
	items      []imap.FetchItem
	ids        []uint32
}

func open(task request) (*seat, error) {
	connection, err := client.Dial(fmt.Sprintf("127.0.0.1:%d", task.Port))
	if err != nil {
		return nil, err
	}
	if err = connection.Login(task.User, "secret"); err != nil {
		return nil, err
	}
	if _, err = connection.Select(task.Folder, false); err != nil {
		return nil, err
	}
	result := &seat{connection: connection, call: task.Call}
	for _, item := range task.Items {
		result.items = append(result.items, imap.FetchItem(item))
	}
	if task.Call != "search" {
		result.ids, err = result.search()
	}
	return result, err
}

func (seat *seat) search() ([]uint32, error) {
	return seat.connection.UidSearch(imap.NewSearchCriteria())
}

func (seat *seat) fetch() ([]*imap.Message, error) {
	set := new(imap.SeqSet)
	set.AddNum(seat.ids...)
	messages := make(chan *imap.Message, 100)
	done := make(chan error, 1)
	go func() {
		done <- seat.connection.UidFetch(set, seat.items, messages)
	}()
	var result []*imap.Message
	for message := range messages {
		result = append(result, message)
	}
	return result, <-done
}

func (seat *seat) run() (int, error) {
	if seat.call == "search" {
		ids, err := seat.search()
		return len(ids), err
	}
	messages, err := seat.fetch()
	return len(messages), err
}

// cpu returns the seconds of all threads of this process, user and system.
func cpu() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func measured(seat *seat) (map[string]interface{}, error) {
	runtime.GC()
	start, before := time.Now(), cpu()
	count, err := seat.run()
	used, wall := cpu()-before, time.Since(start).Seconds()
	return map[string]interface{}{"wall": wall, "cpu": used, "peak": nil, "count": count, "collector": false}, err
}

func main() {
	var current *seat
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var task request
		answer := map[string]interface{}{}
		err = json.Unmarshal(line, &task)
		if err == nil && task.Do == "open" {
			current, err = open(task)
			answer["version"] = "1, " + runtime.Version()
		} else if err == nil {
			answer, err = measured(current)
		}
		if err != nil {
			answer = map[string]interface{}{"error": err.Error()}
		}
		text, _ := json.Marshal(answer)
		fmt.Println(string(text))
	}
}
