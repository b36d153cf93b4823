import { connect } from 'node:net'

/*
 * Many clients in a process of their own, so that what they cost is not counted as the server's. Client i watches the tags ["shared"] and
 * ["own", i, 0 … n]. Reports when all have their hello, and how many frames came when it is asked.
 */
const [port, count, tags] = process.argv.slice(2).map(Number) as [number, number, number]
const OPEN_AT_ONCE = 100

let frames = 0

function open(i: number): Promise<void> {
  const own = Array.from({ length: tags }, (_, n) => ['own', i, n])
  const body = JSON.stringify({ v: 1, ageMs: 0, watcher: 'w', watch: [['shared'], ...own] })
  const head = [
    'POST / HTTP/1.1',
    'host: localhost',
    'content-type: application/json',
    `content-length: ${body.length}`,
  ]
  const socket = connect(port, '127.0.0.1')
  socket.setEncoding('latin1')
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.on('data', (text: string) => {
      for (let at = text.indexOf('event: invalidate'); at >= 0; at = text.indexOf('event: invalidate', at + 1)) frames++
      if (text.includes('event: hello')) resolve()
    })
  })
}

for (let i = 0; i < count; i += OPEN_AT_ONCE) {
  await Promise.all(Array.from({ length: Math.min(OPEN_AT_ONCE, count - i) }, (_, j) => open(i + j)))
}
process.on('message', () => process.send?.(frames))
process.on('disconnect', () => process.exit())
process.send?.('connected')
