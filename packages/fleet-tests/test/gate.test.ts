import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { Gate } from '../src/gate.ts'

const ACKNOWLEDGEMENT = '*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n'
const [FIRST, SECOND, THIRD] = ['one', 'two', 'six'].map(
  (text) => `*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$3\r\n${text}\r\n`,
)

async function connectThroughGate(): Promise<{ gate: Gate; client: Socket; server: Socket }> {
  const listening = createServer()
  listening.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const gate = await Gate.open((listening.address() as AddressInfo).port, { isBeforeRedis: true })
  const client = connect(gate.port, '127.0.0.1')
  const [server] = (await once(listening, 'connection')) as [Socket]
  // It is reset when the gate moves.
  server.on('error', () => undefined)
  onTestFinished(async () => {
    client.destroy()
    await gate.close()
    listening.close()
  })
  return { gate, client, server }
}

async function readAll(socket: Socket): Promise<string> {
  let text = ''
  for await (const bytes of socket) text += String(bytes)
  return text
}

it('loses as many messages as it is told to, however they are cut, and nothing else', async () => {
  const { gate, client, server } = await connectThroughGate()
  gate.messagesToLose = 2
  const all = ACKNOWLEDGEMENT + FIRST + SECOND + THIRD + '$5\r\nhe\r\no\r\n'
  for (const byte of all) {
    server.write(byte)
    await new Promise(setImmediate)
  }
  server.end()

  expect(await readAll(client)).toBe(`${ACKNOWLEDGEMENT}${THIRD}$5\r\nhe\r\no\r\n`)
})

it('leads new connections elsewhere, and resets the old ones', async () => {
  const { gate, client } = await connectThroughGate()
  const other = createServer((socket) => socket.end('+other\r\n'))
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  onTestFinished(() => void other.close())

  gate.moveTo((other.address() as AddressInfo).port)

  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNRESET')
  expect(await readAll(connect(gate.port, '127.0.0.1'))).toBe('+other\r\n')
})
