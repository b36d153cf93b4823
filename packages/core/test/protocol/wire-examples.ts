import type {
  ErrorBody,
  Frames,
  Receipt,
  StreamRequest,
  WatchAnswer,
  WatchRequest,
} from '../../src/protocol/messages.ts'

type FrameExample = { [K in keyof Frames]: { readonly event: K; readonly data: Frames[K] } }[keyof Frames]

const EPOCH = '5f3a9c21-7b0e-4d6f-9a51-0c2d8e7f1b34'
const CONNECTION = '0f6c1e5a9b3d47c28e1f5a6b7c8d9e0f'
/** What tries to end a line, an event or a string. U+2028 ends a line in old JavaScript, not in a stream. */
const HOSTILE = 'a\rb\nc\r\n\nd\0e\u2028f\u2029g"h\\i\ud800j\u{1f600}\u0085'

/** Each frame of test/wire/v1/*.txt, by file name. */
export const frames: Readonly<Record<string, FrameExample>> = {
  hello: {
    event: 'hello',
    data: {
      v: 1,
      connection: CONNECTION,
      cursor: { '["global",null]': `${EPOCH}:1763764253000123` },
      heartbeatMs: 8000,
      retryMs: 1000,
      scoped: false,
    },
  },
  'hello-without-scopes': {
    event: 'hello',
    data: { v: 1, connection: CONNECTION, cursor: {}, heartbeatMs: 8000, retryMs: 0, scoped: true },
  },
  'hello-hostile-scopes': {
    event: 'hello',
    data: {
      v: 1,
      connection: CONNECTION,
      cursor: {
        '["global",null]': `${EPOCH}:0`,
        '["user","Zoë 日本 😀"]': `${EPOCH}:7`,
        [JSON.stringify(['user', HOSTILE])]: `${EPOCH}:9007199254740991`,
      },
      heartbeatMs: 8000,
      retryMs: 20_000,
      scoped: true,
    },
  },
  invalidate: {
    event: 'invalidate',
    data: {
      scope: '["global",null]',
      at: `${EPOCH}:1763764253000124`,
      tags: [
        { key: ['todo', '7'], path: 'todos.byId' },
        { keys: [['todos', 'summary'], ['todos']], path: 'todos' },
        { path: 'notes.byId' },
        ['report', 2026, null, { done: false, owner: 'me' }],
      ],
    },
  },
  'invalidate-spread': {
    event: 'invalidate',
    data: { scope: '["user","7"]', at: `${EPOCH}:42`, tags: [{ keys: [], path: '' }], spreadMs: 1500 },
  },
  'invalidate-hostile': {
    event: 'invalidate',
    data: {
      scope: JSON.stringify(['user', HOSTILE]),
      at: `${EPOCH}:43`,
      tags: [[HOSTILE], { key: [{ [HOSTILE]: '日本 😀' }], path: 'notes.日本' }],
    },
  },
  'invalidate-unrecorded': {
    event: 'invalidate',
    data: { scope: '["user","7"]', tags: [['todos']] },
  },
  heartbeat: {
    event: 'heartbeat',
    data: {
      cursor: { '["global",null]': `${EPOCH}:1763764253000124`, '["user","Zoë"]': `${EPOCH}:42` },
      verified: true,
      retryMs: 1000,
    },
  },
  'heartbeat-unverified': {
    event: 'heartbeat',
    data: { cursor: { '["global",null]': `${EPOCH}:1763764253000124` }, verified: false, retryMs: 5000 },
  },
  reset: {
    event: 'reset',
    data: {
      scopes: ['["global",null]', '["user","7"]'],
      cursor: { '["global",null]': `${EPOCH}:1763764253000200`, '["user","7"]': 'another_epoch:1' },
      reason: 'expired',
      spreadMs: 3000,
    },
  },
  bye: { event: 'bye', data: { reason: 'reauthorize', retryMs: 0 } },
}

const streamRequest: StreamRequest = {
  v: 1,
  scope: { kind: 'user', id: 'Zoë' },
  cursor: { '["global",null]': `${EPOCH}:1763764253000123`, '["user","Zoë"]': `${EPOCH}:41` },
  ageMs: 31_250,
  watcher: 'tab-1',
  watch: [{ key: ['todo', '7'], path: 'todos.byId' }, ['todos']],
  replaces: CONNECTION,
}
const firstStreamRequest: StreamRequest = { v: 1, ageMs: 30_400, first: true, watcher: 'tab-1', watch: '*' }
const watchRequest: WatchRequest = {
  connection: CONNECTION,
  watcher: 'tab-1',
  n: 1,
  add: [{ path: 'notes.byId' }],
  remove: [{ key: ['todo', '7'], path: 'todos.byId' }],
  from: { '["global",null]': `${EPOCH}:1763764253000100` },
}
const watchAnswer: WatchAnswer = { n: 1, tags: [{ key: ['note', 3], path: 'notes.byId' }] }
const placedWatchAnswer: WatchAnswer = {
  n: 1,
  tags: [{ key: ['note', 3], path: 'notes.byId' }],
  at: [{ '["global",null]': `${EPOCH}:1763764253000124`, '["user","Zoë"]': `${EPOCH}:42` }],
}
const expiredWatchAnswer: WatchAnswer = { n: 2, expired: true }
const errorBody: ErrorBody = { code: 'too-large', message: 'The body is over 65536 bytes' }
const receipt: Receipt = { scope: '["global",null]', at: `${EPOCH}:1763764253000124`, tags: [['todos']] }

/** Each body of test/wire/v1/*.json, by file name. */
export const bodies: Readonly<Record<string, unknown>> = {
  'stream-request': streamRequest,
  'stream-request-first': firstStreamRequest,
  'watch-request': watchRequest,
  'watch-answer': watchAnswer,
  'watch-answer-placed': placedWatchAnswer,
  'watch-answer-expired': expiredWatchAnswer,
  error: errorBody,
  receipt,
}
