/** Sends a small request at even intervals, and notes when it is answered: how evenly could anything go on this machine, now? */
export class Metronome {
  readonly #answeredAt: number[] = []
  readonly #requests = new Set<Promise<void>>()
  readonly #timer: NodeJS.Timeout

  constructor(url: string, perSecond: number) {
    const startedAt = performance.now()
    let sent = 0
    this.#timer = setInterval(() => {
      for (; sent < ((performance.now() - startedAt) / 1000) * perSecond; sent++) this.#send(url)
    }, 5)
  }

  /** When its requests were answered, in milliseconds of the wall clock. */
  async stop(): Promise<readonly number[]> {
    clearInterval(this.#timer)
    await Promise.all(this.#requests)
    return this.#answeredAt
  }

  #send(url: string): void {
    const request = fetch(url)
      .then((response) => response.arrayBuffer())
      .then(
        () => void this.#answeredAt.push(Date.now()),
        // No answer is a beat that is missing.
        () => undefined,
      )
    this.#requests.add(request)
    void request.then(() => this.#requests.delete(request))
  }
}
