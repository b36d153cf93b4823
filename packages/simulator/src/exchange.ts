import { toTagKey, type Cursor } from '@query-tags/core'
import { Delivery } from './delivery.ts'
import { createMiddlebox } from './middlebox.ts'
import type { Network, Peer } from './network.ts'
import type { User } from './people.ts'
import type { Server } from './server.ts'
import type { Sim } from './sim.ts'
import { WireTap } from './wire-tap.ts'
import { withUnknownEvent, withUnknownField } from './version-skew.ts'

const TOO_LATE_MS = 10_000

/** One request and its response, on their way between a page and a server. Everything that can happen to a connection happens here. */
export class Exchange {
  readonly server: Server
  readonly peer: Peer
  readonly isStream: boolean
  readonly answer: Promise<Response>
  /** Every tag that it was ever asked to watch, in canonical form. */
  readonly watched = new Set<string>()
  /** Nothing passes any longer. */
  isBlack = false
  readonly #sim: Sim
  readonly #network: Network
  readonly #url: string
  readonly #init: RequestInit
  readonly #tap: WireTap
  readonly #settle: { readonly resolve: (response: Response) => void; readonly reject: (error: unknown) => void }
  readonly #serverAbort = new AbortController()
  /** Kept, since the signal of a request that was collected is never aborted. */
  readonly #requests: Request[] = []
  readonly #delivery: Delivery
  #onOver: (() => void) | undefined
  #body: ReadableStreamDefaultController<Uint8Array> | undefined
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  #isClientOver = false
  #isServerOver = false

  constructor(sim: Sim, network: Network, peer: Peer, server: Server, url: string, init: RequestInit) {
    this.#sim = sim
    this.#network = network
    this.peer = peer
    this.server = server
    this.#url = url
    this.#init = init
    this.isStream = !url.endsWith('/watch')
    this.#tap = new WireTap(sim, peer, server, this.isStream, new Headers(init.headers).get('authorization') ?? '')
    this.#delivery = new Delivery(sim, network, this)
    const { promise, resolve, reject } = Promise.withResolvers<Response>()
    this.answer = promise
    this.#settle = { resolve, reject }
    init.signal?.addEventListener('abort', () => this.#onAbort())
    // The page's own half of the way: it has to find the server, and to be awake for it.
    sim.clock.after(peer.process, network.latency() / 2, () => this.#send())
  }

  /** No end of it is open any longer for the client, or it can't be told that one is. */
  get isLost(): boolean {
    return this.isBlack || this.#isClientOver || this.#isServerOver
  }

  /** Whose it was when it began. */
  get user(): User | undefined {
    return this.#tap.user
  }

  /** Whether the server may still hold something for it. */
  get isServed(): boolean {
    return !this.#isServerOver
  }

  /** Whether the page still waits for it. */
  get isWaitedFor(): boolean {
    return !this.#isClientOver
  }

  /** The name of the stream, and where it began. */
  get hello(): { readonly connection: string; readonly from: Cursor } | undefined {
    return this.#tap.hello
  }

  /** Milliseconds between two arrivals: a slow reader, or a thin line. */
  set gapMs(ms: number) {
    this.#delivery.gapMs = ms
  }

  whenOver(callback: () => void): void {
    this.#onOver = callback
  }

  /** The connection breaks. The server may learn of it later. */
  cut(tellsServer: boolean): void {
    if (this.isLost) return
    this.isBlack = true
    this.#sim.clock.after(this.peer.process, this.#network.latency(), () =>
      this.#fail(new TypeError('simulated: terminated')),
    )
    if (!this.server.isUp) this.#endServer()
    else if (tellsServer) this.#tellServer()
  }

  /** From now on nothing passes, and nobody is told. */
  blackhole(): void {
    this.isBlack = true
    if (!this.server.isUp) this.#endServer()
  }

  #send(): void {
    const { random, clock, world } = this.#sim
    const { refuse, lose, overload, twice } = this.#network.conditions
    if (this.#isClientOver) return this.#endServer()
    if (random.chance(lose)) {
      this.#sim.saw('lost request', this.peer.name)
      this.isBlack = true
      return this.#endServer()
    }
    if (random.chance(refuse)) {
      this.#sim.saw('refused connection', this.peer.name)
      return this.#reset()
    }
    if (random.chance(overload)) {
      this.#sim.saw('overloaded proxy', this.peer.name)
      const headers = { 'content-type': 'text/html', ...(random.chance(0.5) && { 'retry-after': '10' }) }
      this.#delivery.send(1, () => this.#respond(new Response('<h1>Overloaded</h1>', { status: 503, headers })))
      return this.#endServer()
    }
    clock.after(world, this.#network.latency() / 2, () => this.#arrive())
    if (this.isStream || !random.chance(twice)) return
    this.#sim.saw('duplicated request', this.peer.name)
    clock.after(world, this.#network.latency() + random.between(0, 5000), () => this.#arrive())
  }

  #arrive(): void {
    if (!this.server.isUp) return this.#reset()
    if (this.#isServerOver && this.isStream) return
    const headers = new Headers(this.#init.headers)
    headers.set('sec-fetch-site', 'same-origin')
    const body = this.#init.body as string | undefined
    const request = new Request(this.#url, {
      method: this.#init.method ?? 'GET',
      headers,
      ...(body && { body: this.peer.isNewer ? withUnknownField(body) : body }),
      signal: this.#serverAbort.signal,
    })
    this.#requests.push(request)
    const { connection, watch = [], add = [] } = this.#tap.onRequest(body)
    // Whether or not the server takes them.
    const stream = this.isStream ? this : this.#network.streamNamed(connection)
    const tags = watch === '*' ? [] : [...watch, ...add]
    for (const tag of tags) stream?.watched.add(toTagKey(tag))
    if (this.peer.isNewer) this.#sim.saw('newer page', this.peer.name)
    this.server.handle(request).then(
      (response) => this.#onResponse(response),
      (error: unknown) => this.#sim.fail(`the handler of ${this.server.name} threw ${String(error)}`),
    )
  }

  #onResponse(response: Response): void {
    const { status, headers, body } = response
    if (status !== 200 || !this.isStream || !body) return void this.#onAnswer(response)
    if (this.#isServerOver) return void body.cancel()
    this.#reader = body.getReader()
    this.#reader.closed.then(
      () => this.#endServer(),
      () => this.#onCutOff(),
    )
    if (this.server.isNewer) this.#sim.saw('newer server', this.server.name)
    const readable = new ReadableStream<Uint8Array>({ start: (controller) => void (this.#body = controller) })
    this.#delivery.send(1, () => this.#respond(new Response(readable, { status, headers })))
    void this.#pump(this.#reader)
  }

  /** The server gave up: for a reader that does not read, after a while. */
  #onCutOff(): void {
    if (this.#delivery.isFull && this.server.isUp && !this.#isServerOver)
      this.#sim.saw('stalled reader', this.peer.name)
    this.#endServer()
  }

  async #onAnswer(response: Response): Promise<void> {
    const { status, headers } = response
    const text = await response.text()
    this.#tap.onAnswer(status, text)
    const { random, clock, world } = this.#sim
    const { lose, late } = this.#network.conditions
    if (random.chance(lose)) return this.#sim.saw('lost answer', this.peer.name)
    const sent = this.server.isNewer && text.startsWith('{') ? withUnknownField(text) : text
    const respond = (): void => {
      this.#delivery.send(sent.length, () => this.#respond(new Response(sent, { status, headers })))
      this.#endServer()
    }
    if (!random.chance(late)) return respond()
    this.#sim.saw('late answer', this.peer.name)
    clock.after(world, TOO_LATE_MS * random.between(0.5, 1.5), respond)
  }

  /** Reads from the server for as long as there is room on the way. */
  async #pump(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const between = createMiddlebox(this.#sim, this.#network.conditions, this.peer.name, (bytes) => this.#pass(bytes))
    try {
      for (;;) {
        await this.#delivery.room()
        const askedAt = this.#sim.clock.now
        const { done, value } = await reader.read()
        if (done) break
        const text = Buffer.from(value).toString()
        this.#tap.onBytes(text, this.#sim.clock.now > askedAt)
        between.pass(this.server.isNewer ? Buffer.from(withUnknownEvent(text)) : value)
      }
      between.flush()
      this.#delivery.send(1, () => this.#end())
    } catch {
      // The server cut it off. Its reason stays with it.
      this.#delivery.send(1, () => this.#fail(new TypeError('simulated: terminated')))
    }
  }

  #pass(bytes: Uint8Array): void {
    this.#delivery.send(bytes.length, () => this.#body?.enqueue(bytes))
  }

  #respond(response: Response): void {
    this.#sim.log(`${this.peer.name} gets ${response.status}`)
    this.#settle.resolve(response)
    if (!this.#body) this.#endClient()
  }

  #end(): void {
    this.#body?.close()
    this.#endClient()
  }

  #fail(error: Error): void {
    if (this.#isClientOver) return
    this.#settle.reject(error)
    this.#body?.error(error)
    this.#endClient()
  }

  #reset(): void {
    this.#endServer()
    this.#sim.clock.after(this.peer.process, this.#network.latency(), () =>
      this.#fail(new TypeError('simulated: fetch failed')),
    )
  }

  /** The page gave it up. */
  #onAbort(): void {
    if (this.#isClientOver) return
    this.#fail(new DOMException('simulated: aborted', 'AbortError'))
    if (!this.isBlack) this.#tellServer()
  }

  /** A server hears of a client that left by a signal, by a cancelled body, or by both. */
  #tellServer(): void {
    const { random, clock, world } = this.#sim
    clock.after(world, this.#network.latency(), () => {
      const how = random.below(3)
      if (how !== 0) this.#serverAbort.abort()
      if (how !== 1) this.#reader?.cancel().catch(() => this.#sim.log('cancelled a stream that had failed'))
      this.#endServer()
    })
  }

  #endClient(): void {
    this.#isClientOver = true
    this.#delivery.stop()
    if (this.#isServerOver) this.#onOver?.()
  }

  #endServer(): void {
    this.#isServerOver = true
    if (this.#isClientOver) this.#onOver?.()
  }
}
