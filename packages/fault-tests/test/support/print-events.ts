/** Prints each event of a stream as one line of JSON. Run with `--experimental-eventsource`; takes the URL and the names of the events. */
const [url, ...names] = process.argv.slice(2)
const source = new EventSource(url!)
for (const name of names) {
  source.addEventListener(name, ({ type, data, lastEventId }: MessageEvent<string>) => {
    console.log(JSON.stringify({ event: type, data, id: lastEventId }))
  })
}

// While it waits before it comes back, it does not keep a process alive.
setInterval(() => undefined, 60_000)
