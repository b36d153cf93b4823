import { describe, expect, it } from 'vitest'
import { createWorld } from '../support/world.ts'

interface Case {
  readonly site?: string
  readonly origin?: string
  readonly host?: string
  readonly allowed?: string[]
  readonly admits: boolean
}

const OTHER = 'https://other.test'

const cases: [what: string, given: Case][] = [
  ['a client that says nothing (curl, a server)', { admits: true }],
  ['a page of the same origin', { site: 'same-origin', origin: 'https://app.test', admits: true }],
  [
    'a page of the same origin behind a proxy that rewrites Host',
    { site: 'same-origin', origin: 'https://app.test', host: 'backend:3000', admits: true },
  ],
  ['a URL typed by the user', { site: 'none', admits: true }],
  ['a page of another site', { site: 'cross-site', origin: OTHER, admits: false }],
  ['a page of another site without an Origin header', { site: 'cross-site', admits: false }],
  ['a page of a sibling domain', { site: 'same-site', origin: 'https://evil.app.test', admits: false }],
  [
    'a page of another site whose Origin is forged to match',
    { site: 'cross-site', origin: 'https://app.test', admits: false },
  ],
  ['a Sec-Fetch-Site that does not exist', { site: 'x', admits: false }],
  ['an old browser on the same host', { origin: 'http://app.test', admits: true }],
  ['an old browser on the same host and port', { origin: 'http://app.test:8080', host: 'app.test:8080', admits: true }],
  ['a default port that is written once', { origin: 'https://app.test', host: 'app.test:443', admits: true }],
  ['a host in capitals', { origin: 'http://app.test', host: 'APP.test', admits: true }],
  ['an old browser on another host', { origin: 'http://other.test', admits: false }],
  ['another port', { origin: 'http://app.test:8080', admits: false }],
  ['a host that merely begins the same', { origin: 'http://app.test.evil', admits: false }],
  ['a sandboxed frame', { origin: 'null', admits: false }],
  ['an empty Origin', { origin: '', admits: false }],
  ['an Origin that is none', { origin: 'rubbish', admits: false }],
  ['an Origin without a host', { origin: 'file://', host: '', admits: false }],
  ['an allowed origin', { site: 'cross-site', origin: OTHER, allowed: [OTHER], admits: true }],
  ['an allowed origin of an old browser', { origin: OTHER, allowed: [OTHER], admits: true }],
  [
    'an allowed host with another scheme',
    { site: 'cross-site', origin: 'http://other.test', allowed: [OTHER], admits: false },
  ],
  [
    'an allowed host with another port',
    { site: 'cross-site', origin: 'https://other.test:444', allowed: [OTHER], admits: false },
  ],
]

describe('the origin rule', () => {
  it.each(cases)('%s', async (_, { site, origin, host = 'app.test', allowed, admits }) => {
    let asked = 0
    const resolveScope = (): { kind: string } => {
      asked++
      return { kind: 'user' }
    }
    const world = createWorld({ resolveScope, ...(allowed && { allowedOrigins: allowed }) })
    const headers = {
      host,
      ...(site !== undefined && { 'sec-fetch-site': site }),
      ...(origin !== undefined && { origin }),
    }

    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST']) {
      const outcome = await world.respond({ method, headers, body: { v: 1, ageMs: 0, watcher: 'w', watch: '*' } })
      expect(outcome.status).toBe(admits ? (method === 'OPTIONS' ? 204 : 200) : 403)
    }
    const watch = await world.respond({ path: '/watch', headers, body: {} })
    expect(watch.status).toBe(admits ? 400 : 403)
    // Before the application is asked anything.
    expect(asked > 0).toBe(admits)
  })

  it('admits of every Sec-Fetch-Site with every Origin on every method the ones it says, and asks the application for no other', async () => {
    const sites = [
      undefined,
      'same-origin',
      'none',
      'same-site',
      'cross-site',
      '',
      'SAME-ORIGIN',
      'same-origin, same-origin',
    ]
    const origins = [
      undefined,
      'http://app.test',
      'https://app.test',
      'http://app.test:81',
      'http://sub.app.test',
      OTHER,
      'null',
      '',
      '*',
    ]
    const admitted: string[] = []
    let asked = 0
    const world = createWorld({
      resolveScope: () => {
        asked++
        return { kind: 'user' }
      },
      allowedOrigins: ['http://sub.app.test'],
    })

    for (const site of sites) {
      for (const origin of origins) {
        const headers = {
          ...(site !== undefined && { 'sec-fetch-site': site }),
          ...(origin !== undefined && { origin }),
        }
        const statuses = []
        for (const method of ['GET', 'HEAD', 'POST']) {
          const before = asked
          const outcome = await world.respond({ method, headers, body: { v: 1, ageMs: 0, watcher: 'w', watch: '*' } })
          if (outcome.kind === 'stream') outcome.discard()
          statuses.push(outcome.status === 403 && asked === before ? 'refused' : outcome.status)
        }
        const isAdmitted = statuses[0] === 200
        if (isAdmitted) admitted.push(`${site} from ${origin}`)
        expect(statuses).toEqual(statuses.map(() => (isAdmitted ? 200 : 'refused')))
      }
    }

    // The browser's word that the page is ours decides; without it the host does; and what was allowed is, whatever the browser says.
    const ours = ['same-origin', 'none'].flatMap((site) => origins.map((origin) => `${site} from ${origin}`))
    const old = [undefined, 'http://app.test', 'https://app.test'].map((origin) => `undefined from ${origin}`)
    const allowed = sites.map((site) => `${site} from http://sub.app.test`)
    expect(admitted.sort()).toEqual([...new Set([...ours, ...old, ...allowed])].sort())
  })

  it('compares with the host of the URL when there is no Host header', async () => {
    const world = createWorld()
    const ask = (origin: string): ReturnType<typeof world.respond> =>
      world.system.respond(
        {
          method: 'HEAD',
          path: '',
          host: 'app.test',
          header: (name) => (name === 'origin' ? origin : undefined),
          readBody: () => Promise.resolve(''),
        },
        () => undefined,
      )

    expect((await ask('https://app.test')).status).toBe(200)
    expect((await ask('https://other.test')).status).toBe(403)
  })

  it('reads no X-Forwarded header', async () => {
    const headers = { origin: 'https://evil.test', 'x-forwarded-host': 'evil.test', forwarded: 'host=evil.test' }

    expect((await createWorld().respond({ method: 'GET', headers })).status).toBe(403)
  })

  it('names the option in its refusal, and the origin as JSON', async () => {
    const outcome = await createWorld().respond({ method: 'GET', headers: { origin: 'http://"\n' } })

    expect(outcome).toMatchObject({ kind: 'answer', status: 403 })
    const { code, message } = JSON.parse((outcome as { body: string }).body) as { code: string; message: string }
    expect(code).toBe('origin-denied')
    expect(message).toContain('allowedOrigins')
    expect(message).toContain(String.raw`"http://\"\n"`)
  })
})
