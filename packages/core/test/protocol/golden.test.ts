import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decodeCursor, decodeFrame, readTags } from '../../src/protocol/decode.ts'
import { encodeFrame, encodeInvalidate } from '../../src/protocol/encode.ts'
import { readCursor } from '../../src/protocol/cursor.ts'
import { toTagKey } from '../../src/tags/tag-key.ts'
import { readEvents } from './read-events.ts'
import { bodies, frames } from './wire-examples.ts'

const folder = new URL('../wire/v1/', import.meta.url)
const golden = (file: string): Buffer => readFileSync(new URL(file, folder))

describe('a frame of version 1', () => {
  it.each(Object.entries(frames))('is written as %s.txt, byte for byte', (name, { event, data }) => {
    expect(Buffer.from(encodeFrame(event, data))).toEqual(golden(`${name}.txt`))
  })

  it.each(Object.entries(frames))('is read from %s.txt', (name, frame) => {
    const [read, ...more] = readEvents(golden(`${name}.txt`).toString())

    expect(more).toEqual([])
    expect(decodeFrame(read!.event, read!.data)).toEqual(frame)
  })

  it.each(Object.entries(frames))(
    '%s.txt is three lines at most, and says its ID in ASCII where it has one',
    (name, frame) => {
      const text = golden(`${name}.txt`).toString()
      const hasId = frame.event === 'hello' || frame.event === 'heartbeat'
      const [read] = readEvents(text)

      expect(text.split(/\r\n|\r|\n/)).toHaveLength(hasId ? 5 : 4)
      expect(read!.lastEventId).toMatch(/^[ -~]*$/)
      expect(decodeCursor(read!.lastEventId)).toEqual(hasId ? frame.data.cursor : undefined)
    },
  )

  it.each(Object.values(frames).filter(({ event }) => event === 'invalidate'))(
    'invalidate at $data.at has the same bytes when it is made of canonical tags',
    ({ data }) => {
      const { scope, at, tags, spreadMs } = data as Extract<typeof data, { tags: unknown }>

      expect(encodeInvalidate(scope, at, tags.map(toTagKey), spreadMs)).toBe(encodeFrame('invalidate', data as never))
    },
  )
})

describe('a body of version 1', () => {
  it.each(Object.entries(bodies))('is written as %s.json, byte for byte', (name, body) => {
    expect(Buffer.from(JSON.stringify(body))).toEqual(golden(`${name}.json`))
  })

  it.each(Object.entries(bodies))('is read from %s.json, with valid tags and cursors', (name, body) => {
    const read = JSON.parse(golden(`${name}.json`).toString()) as Record<string, unknown>
    const tags = ['tags', 'watch', 'add', 'remove'].map((field) => read[field]).filter(Array.isArray)
    const cursors = ['cursor', 'from'].map((field) => read[field]).filter((cursor) => cursor !== undefined)

    expect(read).toEqual(body)
    expect(tags.map(readTags)).toEqual(tags)
    expect(cursors.map(readCursor)).toEqual(cursors)
  })
})

it('every golden file has its example here', () => {
  const files = [
    ...Object.keys(frames).map((name) => `${name}.txt`),
    ...Object.keys(bodies).map((name) => `${name}.json`),
  ]

  expect(readdirSync(folder).sort()).toEqual(files.sort())
})
