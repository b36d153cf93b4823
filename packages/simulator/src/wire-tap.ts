import type { Cursor, StreamRequest, WatchRequest } from '@query-tags/core'
import type { Peer } from './network.ts'
import { foreignSecrets, toUser, type User } from './people.ts'
import type { Server } from './server.ts'
import type { Sim } from './sim.ts'

/** How long a server may take to ask its store. */
const READ_MS = 2000

/** Reads what goes over one exchange: counts what happened, and checks what no byte of it may show. */
export class WireTap {
  readonly #sim: Sim
  readonly #peer: Peer
  readonly #server: Server
  readonly #isStream: boolean
  readonly user: User | undefined
  hello: { readonly connection: string; readonly from: Cursor } | undefined
  #isResumed = false
  #helloAt = -1

  /** @param session What the request says who it is from. A stream stays theirs, whoever uses the page next. */
  constructor(sim: Sim, peer: Peer, server: Server, isStream: boolean, session: string) {
    this.#sim = sim
    this.#peer = peer
    this.#server = server
    this.#isStream = isStream
    this.user = toUser(session)
  }

  onRequest(body: string | undefined): Partial<StreamRequest & WatchRequest> {
    if (!body) return {}
    this.#sim.log(() => `${this.#peer.name} asks ${this.#server.name} ${body}`)
    const message = JSON.parse(body) as Partial<StreamRequest & WatchRequest>
    if (message.watch === '*') this.#sim.saw('everything watched', this.#peer.name)
    this.#isResumed = Object.keys(message.cursor ?? {}).length > 0
    return message
  }

  onAnswer(status: number, text: string): void {
    this.#look(text)
    const kind = this.#isStream ? 'stream' : 'watch'
    if (status !== 200) return this.#sim.saw(`${kind} refused with ${status}`, `${this.#peer.name} ${text}`)
    const { tags } = JSON.parse(text) as { tags?: readonly unknown[] }
    this.#sim.saw(
      tags === undefined ? 'watch answer expired' : tags.length > 0 ? 'watch answer with tags' : 'watch answer empty',
    )
  }

  /**
   * A piece of the stream, as the server wrote it: one event, whole.
   *
   * @param isPrompt It was written now, and not kept for a slow reader.
   */
  onBytes(text: string, isPrompt: boolean): void {
    this.#look(text)
    const name = /^event: (\w+)/.exec(text)?.[1] ?? 'none'
    const json = text.slice(text.indexOf('data: ') + 6).trim()
    this.#sim.log(() => `${this.#server.name} to ${this.#peer.name}: ${name} ${json}`)
    const { now } = this.#sim.clock
    if (name === 'hello') {
      this.#helloAt = now
      const { connection, cursor } = JSON.parse(json) as { connection: string; cursor: Cursor }
      this.hello = { connection, from: cursor }
      this.#sim.saw(this.#isResumed ? 'resume' : 'first hello')
    } else if (name === 'invalidate') {
      this.#sim.saw(now === this.#helloAt ? 'replay frame' : 'live frame')
    } else if (name === 'heartbeat') {
      this.#onHeartbeat(JSON.parse(json) as { cursor: Cursor; verified: boolean }, isPrompt)
    } else {
      this.#sim.saw(`${name} ${(JSON.parse(json) as { reason: string }).reason}`)
    }
  }

  #onHeartbeat({ cursor, verified }: { readonly cursor: Cursor; readonly verified: boolean }, isPrompt: boolean): void {
    this.#sim.saw(verified ? 'heartbeat' : 'unverified heartbeat')
    if (!verified || !isPrompt) return
    // One heartbeat later when the last one had to wait for the backlog.
    const slackMs = this.#server.heartbeatMs * 1.5 + READ_MS
    for (const scope of Object.keys(cursor)) {
      const silentMs = this.#sim.clock.now - this.#server.headAt(scope)
      if (silentMs > slackMs)
        this.#sim.fail(`${this.#server.name} said verified, ${silentMs} ms after it could verify ${scope}`)
    }
  }

  #look(text: string): void {
    const secrets = foreignSecrets(text, this.user)
    if (secrets.length > 0) this.#sim.fail(`${this.user ?? 'nobody'} was shown ${secrets.join()}: ${text}`)
  }
}
