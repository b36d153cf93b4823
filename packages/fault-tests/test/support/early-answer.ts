/** Something between client and server that answers a request for a stream at once, and passes it on when it likes. */
export class EarlyAnswer {
  #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | undefined
  #forward: (() => void) | undefined

  get isWaiting(): boolean {
    return this.#writer !== undefined
  }

  /** A comment, which is a sign of life and nothing else. */
  async comment(): Promise<void> {
    await this.#writer!.write(new TextEncoder().encode(':\n\n'))
  }

  forward(): void {
    this.#forward!()
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    if (typeof input === 'string' && input.endsWith('/watch')) return fetch(input, init)
    const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>()
    this.#writer = writable.getWriter()
    this.#forward = () => {
      this.#writer!.releaseLock()
      fetch(input, init)
        .then(
          ({ body }) => body!.pipeTo(writable),
          (error: unknown) => writable.abort(error),
        )
        .catch(() => {
          // The client has left, and closed its end of this.
        })
    }
    return new Response(readable, { headers: { 'content-type': 'text/event-stream' } })
  }
}
