/** The way to Redis: one server, or a cluster of them. */
export interface RedisLink {
  /** `SPUBLISH` in a cluster, where a plain message would go to every server. */
  readonly publish: 'PUBLISH' | 'SPUBLISH'
  /** Calls that wait for an answer. */
  readonly inFlight: number
  /** Keys that one call may name, out of these. */
  toBatches(keys: readonly string[]): readonly (readonly string[])[]
  /** Runs the script. Rejects at once when there is no connection; never waits without bound. */
  run(keys: readonly string[], args: readonly string[]): Promise<unknown>
  /** Resolves when Redis acknowledged it. Stays until {@link unsubscribe}, whatever happens to connections. */
  subscribe(channel: string): Promise<void>
  unsubscribe(channel: string): Promise<void>
  /** Subscribes once more, as if it had never been done. */
  resubscribe(channel: string): Promise<void>
  /** Leaves nothing open. Calls that wait reject. */
  close(): void
}

export interface LinkEvents {
  readonly onMessage: (channel: string, message: string) => void
  /** Messages may have been missed until now. */
  readonly onResubscribed: (channels: readonly string[]) => void
  /** There is a connection again. */
  readonly onReconnected: () => void
  readonly report: (error: unknown) => void
}
