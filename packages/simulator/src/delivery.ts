import type { Network } from './network.ts'
import type { Exchange } from './exchange.ts'
import type { Sim } from './sim.ts'

/** Bytes that are on their way, or wait in the reader's own buffers, before the sender notices that nobody reads. */
const WINDOW_BYTES = 4096

interface Parcel {
  readonly size: number
  readonly arrive: () => void
  readonly sentAt: number
  readonly earliest: number
}

/** The way from a server to a peer: everything arrives in the order in which it was sent, however long it takes. */
export class Delivery {
  /** Milliseconds between two arrivals: a slow reader, or a thin line. */
  gapMs = 0
  readonly #sim: Sim
  readonly #network: Network
  readonly #exchange: Exchange
  readonly #parcels: Parcel[] = []
  #bytes = 0
  #lastArrival = 0
  #stopWaiting: (() => void) | undefined
  #onRoom: (() => void) | undefined
  #isOver = false

  constructor(sim: Sim, network: Network, exchange: Exchange) {
    this.#sim = sim
    this.#network = network
    this.#exchange = exchange
  }

  /** Whether the sender has to wait. */
  get isFull(): boolean {
    return this.#bytes > WINDOW_BYTES
  }

  async room(): Promise<void> {
    while (this.isFull) await new Promise<void>((resolve) => (this.#onRoom = resolve))
  }

  send(size: number, arrive: () => void): void {
    if (this.#isOver) return
    const { now } = this.#sim.clock
    this.#bytes += size
    this.#parcels.push({ size, arrive, sentAt: now, earliest: now + this.#network.latency() })
    if (this.#parcels.length === 1) this.#wait()
  }

  /** What has not arrived is lost. */
  stop(): void {
    this.#isOver = true
    this.#stopWaiting?.()
  }

  /** Waits for the first parcel. */
  #wait(): void {
    const { clock } = this.#sim
    const parcel = this.#parcels[0]
    if (!parcel) return
    const at = Math.max(parcel.earliest, this.#lastArrival + this.gapMs)
    this.#stopWaiting = clock.after(this.#exchange.peer.process, at - clock.now, () => {
      this.#parcels.shift()
      this.#lastArrival = clock.now
      this.#wait()
      // What falls into a black hole still counts as sent: nobody says that it has arrived.
      if (this.#exchange.isBlack) return
      this.#network.arrive(this.#exchange, parcel.sentAt)
      this.#bytes -= parcel.size
      parcel.arrive()
      this.#onRoom?.()
    })
  }
}
