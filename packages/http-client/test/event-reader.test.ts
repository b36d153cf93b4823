import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEventReader } from '../src/event-reader.ts'
import { MORE_CASES, WPT_CASES } from './wpt-cases.ts'

type Event = readonly [event: string, data: string]

/** What the reader makes of a stream that arrives cut at these places, in bytes. */
function read(stream: string, cuts: readonly number[] = []): Event[] {
  const events: Event[] = []
  const reader = createEventReader((event, data) => events.push([event, data]))
  const decoder = new TextDecoder()
  const bytes = new TextEncoder().encode(stream)
  const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
  for (let n = 1; n < places.length; n++)
    reader.feed(decoder.decode(bytes.subarray(places[n - 1], places[n]), { stream: true }))
  return events
}

/** A CR at the very end may be the first half of a CRLF: what it ends comes with the next byte. */
const complete = (text: string): string => (text.endsWith('\r') ? `${text}:` : text)

describe.each([
  ['the WPT case', WPT_CASES],
  ['the case', MORE_CASES],
])('%s', (_, cases) => {
  it.each(cases)('$name is read as a browser does', ({ stream, events }) => {
    expect(read(complete(stream))).toEqual(events)
  })

  it.each(cases)('$name is read the same when it drips one byte at a time', ({ stream, events }) => {
    expect(read(complete(stream), Array.from(new TextEncoder().encode(stream).keys()))).toEqual(events)
  })
})

const piece = fc.oneof(
  fc.constantFrom(
    'data',
    'event',
    'data:',
    'data: ',
    'event:',
    'event: e',
    'id: 1',
    'retry: 5',
    ':',
    ' ',
    '\r',
    '\n',
    '\r\n',
    '\n\n',
    '\0',
    '\u2028',
    'é',
    '😀',
    'x',
  ),
  fc.string({ maxLength: 3 }),
)
const stream = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''))

describe('any stream', () => {
  it('gives the same events however it is cut', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat({ max: 120 }), { maxLength: 10 }), (text, cuts) => {
        // To the end of a line: a CR at the end of a piece may be half of a line end, and the parser looks at the next one.
        const whole = `${text.replace(/^\uFEFF/, '')}\n`

        expect(read(whole, cuts)).toEqual(read(whole))
      }),
      { numRuns: 2000, examples: [['data\r\rdata', [6]]] },
    )
  })
})

const feed = (...pieces: string[]): void => {
  const reader = createEventReader(() => {})
  for (const text of pieces) reader.feed(text)
}

describe('an event that is too long', () => {
  const tooLong = expect.objectContaining({ code: 'too-large' })
  it('is an error, as one line or as many', () => {
    expect(() => feed('data: ', 'x'.repeat(2 ** 20))).toThrow(tooLong)
    expect(() => feed(...Array.from({ length: 1025 }, () => `data: ${'x'.repeat(1024)}\n`))).toThrow(tooLong)
    expect(() => feed('x'.repeat(2 ** 20 + 1))).toThrow(tooLong)
  })

  it('is none at a million characters, nor are many events together', () => {
    expect(() => feed('data: ', 'x'.repeat(1_000_000), '\n\n', 'data: ', 'x'.repeat(1_000_000), '\n\n')).not.toThrow()
  })

  it('is read in linear time, dripped a few characters at a time', () => {
    const text = 'x'.repeat(16)
    const started = performance.now()

    feed('data: ', ...Array.from({ length: 60_000 }, () => text), '\n\n')

    // Searching all of it for each piece takes minutes.
    expect(performance.now() - started).toBeLessThan(5000)
  })
})
