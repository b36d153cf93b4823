import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { EventSource } from 'eventsource'
import { onTestFinished } from 'vitest'

/** An event as a reader tells it. */
export interface ReceivedEvent {
  readonly event: string
  readonly data: string
  /** The last event ID that it holds. */
  readonly id: string
}

/** Somebody else's reader of our stream; what it received grows while it is open. */
export type OpenReader = (url: string) => ReceivedEvent[]

/** What a server of ours sends. A plain EventSource has to be told the names. */
export const EVENT_NAMES = ['hello', 'invalidate', 'heartbeat', 'reset', 'bye']

/** https://www.npmjs.com/package/eventsource */
export const openNpmEventSource: OpenReader = (url) => {
  const received: ReceivedEvent[] = []
  const source = new EventSource(url)
  for (const name of EVENT_NAMES) {
    source.addEventListener(name, ({ type, data, lastEventId }) => {
      received.push({ event: type, data: data as string, id: lastEventId })
    })
  }
  onTestFinished(() => source.close())
  return received
}

/** The EventSource that Node has behind a flag, in a process of its own. */
export const openNodeEventSource: OpenReader = (url) => {
  const script = fileURLToPath(new URL('print-events.ts', import.meta.url))
  const received: ReceivedEvent[] = []
  onLines(process.execPath, ['--experimental-eventsource', '--no-warnings', script, url, ...EVENT_NAMES], (line) => {
    received.push(JSON.parse(line) as ReceivedEvent)
  })
  return received
}

/** `curl -N`, which knows nothing of events, and goes on where it is told to. */
export function openCurl(url: string, lastEventId?: string): ReceivedEvent[] {
  const header = lastEventId === undefined ? [] : ['--header', `Last-Event-ID: ${lastEventId}`]
  const received: ReceivedEvent[] = []
  let id = lastEventId ?? ''
  let fields: Record<string, string> = {}
  onLines('curl', ['--no-buffer', '--silent', '--noproxy', '*', ...header, url], (line) => {
    const [name, value] = line.split(/: (.*)/s, 2)
    if (line !== '') return void (fields[name!] = value ?? '')
    id = fields['id'] ?? id
    received.push({ event: fields['event'] ?? 'message', data: fields['data'] ?? '', id })
    fields = {}
  })
  return received
}

/** Calls back for each line that a program prints, until the test is over. */
function onLines(program: string, args: readonly string[], onLine: (line: string) => void): void {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) onLine(line)
  })
  onTestFinished(() => void child.kill('SIGKILL'))
}
