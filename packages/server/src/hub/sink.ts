/** Where a stream is written to: one HTTP response. Made by the writers; for adapter authors. */
export interface EventSink {
  /**
   * Takes one piece of the stream. False when it wants no more for now; the writer then calls {@link StreamSource.drained} once it does.
   * What it is given anyway, it keeps.
   */
  write(bytes: Uint8Array): boolean
  /** Ends the response after what was written. */
  end(): void
  /** Ends the response at once; what was not sent is lost. */
  destroy(): void
}

/** What a writer tells the stream. Both calls are safe at any time, any number of times. */
export interface StreamSource {
  /** The sink takes more. */
  drained(): void
  /** The response is over, whoever ended it. Nothing is written any more. */
  closed(): void
}
