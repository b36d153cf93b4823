import * as fc from 'fast-check'

/** What somebody may send, from nearly right to nonsense. */
export interface WildRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What is worth knowing of the server that the requests are for. */
export interface Known {
  /** A connection of the caller. */
  readonly connection: string
  /** Cursors, the caller's and others', as JSON. */
  readonly cursors: readonly string[]
}

/** Right nine times in ten, so that all of a message is right often enough. */
function mostly<T>(right: fc.Arbitrary<T>, wild: fc.Arbitrary<unknown> = json): fc.Arbitrary<unknown> {
  return fc.oneof<fc.WeightedArbitrary<unknown>[]>({ weight: 9, arbitrary: right }, { weight: 1, arbitrary: wild })
}

const json = fc.jsonValue({ maxDepth: 2 })
const rawTag = fc.array(fc.oneof(fc.string(), fc.integer(), fc.constantFrom<unknown>(null, -0, [[]])), { minLength: 1 })
const typedTag = fc.record({ path: fc.constantFrom('todos', 'todos.byId', '__proto__.x'), key: rawTag })
const oddTag = fc.constantFrom<unknown>([], ['__proto__'], { path: '' }, { path: 'constructor' }, { key: ['a'] }, [
  [[[]]],
])
const tags = mostly(fc.array(fc.oneof(rawTag, typedTag, mostly(rawTag, oddTag)), { maxLength: 5 }))
const word = mostly(fc.stringMatching(/^\w{1,64}$/))
const number = mostly(fc.nat(100_000), fc.oneof(fc.double(), fc.constantFrom<unknown>(9e15, '1', null, -1)))
const text = fc.string({ unit: fc.constantFrom(...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))) })

function wildBody({ connection, cursors }: Known): fc.Arbitrary<unknown> {
  const known = fc.constantFrom(...cursors.map((cursor) => JSON.parse(cursor) as unknown))
  const cursor = mostly(known, fc.dictionary(fc.string(), fc.constantFrom('x:1', 'x:01', ':', '')))
  const scope = mostly(fc.constant({ kind: 'user', id: 'undefined' }), fc.constantFrom({ kind: 'user', id: '8' }, {}))
  const id = mostly(fc.constant(connection), word)
  const stream = { v: mostly(fc.constant(1)), ageMs: number, watcher: word, watch: fc.oneof(tags, fc.constant('*')) }
  const more = { scope, cursor, first: mostly(fc.boolean()), replaces: word }
  const watch = { connection: id, watcher: mostly(fc.constant('w')), n: number, add: tags, remove: tags, from: cursor }
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ ...stream, ...more }, { requiredKeys: ['v', 'ageMs', 'watcher', 'watch'] }) },
    { weight: 4, arbitrary: fc.record(watch) },
    { weight: 1, arbitrary: json },
  )
}

/** Requests that HTTP allows, whatever they mean to us. */
export function wildRequests(known: Known): fc.Arbitrary<WildRequest> {
  const usual = fc.constant<Record<string, string>>({ 'content-type': 'application/json' })
  const values = ['same-origin', 'cross-site', 'application/json; charset=x', 'null', 'http://evil.test', '{"[":1}']
  const value = fc.oneof(text, fc.constantFrom(...values))
  const names = ['origin', 'sec-fetch-site', 'content-type', 'accept', 'x-forwarded-host', 'cookie']
  const lastEventId = fc.oneof(fc.constantFrom(...known.cursors), text)
  const body = wildBody(known).map((message) => JSON.stringify(message) ?? '')
  return fc.record({
    method: fc.oneof(
      { weight: 8, arbitrary: fc.constant('POST') },
      { weight: 2, arbitrary: fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE') },
    ),
    path: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('', '/', '/watch', '/watch', '?x=1') },
      { weight: 1, arbitrary: fc.webPath().map((path) => `/${path}`) },
    ),
    headers: fc.oneof(
      { weight: 4, arbitrary: usual },
      { weight: 1, arbitrary: lastEventId.map((id) => ({ 'content-type': 'application/json', 'last-event-id': id })) },
      { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...names), value) },
    ),
    body: fc.oneof(
      { weight: 8, arbitrary: body },
      { weight: 1, arbitrary: fc.string() },
      { weight: 1, arbitrary: fc.tuple(body, fc.nat(400)).map(([whole, end]) => whole.slice(0, end)) },
    ),
  })
}
