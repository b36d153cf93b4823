import type { Attachment, Binding, InvalidatorClient, ReadPosition } from '../../src/client/client.ts'
import { createConnection } from '../../src/client/connection.ts'
import type { Cursor } from '../../src/protocol/cursor.ts'
import type { PlainTag } from '../../src/tags/tag.ts'
import type { Scope } from '../../src/protocol/scope.ts'
import { FakeEnvironment } from './fake-environment.ts'
import { ScriptedTransport, type ScriptedStream, type ScriptedWatch } from './scripted-transport.ts'

export const FIRST: ReadPosition = { first: true, cursor: undefined }

/** What a binding was told, as short lines. */
class RecordingBinding implements Binding {
  readonly log: string[] = []
  /** Runs inside each callback, before it returns. */
  during: (line: string) => void = () => {}

  onHello(): void {
    this.#add('hello')
  }

  onInvalidate(invalidation: Parameters<Binding['onInvalidate']>[0]): void {
    const { source, at, tags } = invalidation
    this.#add(`${source} ${at} ${names(tags)}`)
  }

  onReset({ scopes, reason }: Parameters<Binding['onReset']>[0]): void {
    this.#add(`reset ${scopes.join()} ${reason}`)
  }

  onMissed(added: readonly PlainTag[], missed: readonly PlainTag[] | 'expired', at?: readonly Cursor[]): void {
    const places = at ? ` at ${JSON.stringify(at)}` : ''
    this.#add(`missed ${names(added)}: ${missed === 'expired' ? missed : names(missed)}${places}`)
  }

  #add(line: string): void {
    this.log.push(line)
    this.during(line)
  }
}

/** A client, everything around it in the test's hands. */
export class World {
  readonly environment = new FakeEnvironment()
  readonly transport = new ScriptedTransport()
  readonly errors: unknown[] = []
  readonly binding = new RecordingBinding()
  readonly client: InvalidatorClient = createConnection({
    environment: this.environment,
    transport: this.transport,
    onError: (error) => this.errors.push(error),
  })

  /** The latest attachment. */
  attachment: Attachment | undefined

  attach(scope?: Scope): Attachment {
    return (this.attachment = this.client.attach(this.binding, { scope }))
  }

  reattach(): Attachment {
    this.attachment?.detach()
    return this.attach()
  }

  /** The latest stream. */
  get stream(): ScriptedStream {
    return this.transport.streams.at(-1)!
  }

  /** The latest watch request. */
  get watch(): ScriptedWatch {
    return this.transport.watches.at(-1)!
  }

  get state(): string {
    return this.client.status.state
  }

  /** Lets timers run and promises settle. */
  async run(ms = 0): Promise<void> {
    await this.environment.advance(ms)
  }
}

/** The tags of these tests are raw and of one name. */
export function nameOf(tag: PlainTag): string {
  return 'path' in tag ? tag.path : tag.filter((part) => typeof part === 'string').join()
}

function names(tags: readonly PlainTag[]): string {
  return tags.map(nameOf).join(' ')
}
