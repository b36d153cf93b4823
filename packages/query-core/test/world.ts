import { QueryClient, type QueryClientConfig } from '@tanstack/query-core'
import { bindTags, type BindTagsOptions, type TagBinding } from '../src/index.ts'
import { bindPlainly } from './plain-binding.ts'
import { ScriptedClient } from './scripted-client.ts'

/** A database of one number, whose reads the test lets through one by one, in any order. */
class Database {
  value = 0
  readonly #reads: {
    readonly value: number
    readonly resolve: (value: number) => void
    readonly reject: (error: Error) => void
  }[] = []
  reads = 0

  /** Reads at once, answers when the test says so. */
  readonly read = (): Promise<number> => {
    this.reads++
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    this.#reads.push({ value: this.value, resolve, reject })
    return promise
  }

  get pending(): number {
    return this.#reads.length
  }

  /** The oldest read in flight arrives with what it read. */
  async arrive(): Promise<void> {
    const read = this.#reads.shift()
    if (!read) throw new Error('no read is in flight')
    read.resolve(read.value)
    await settle()
  }

  async fail(): Promise<void> {
    this.#reads.shift()!.reject(new Error('database is down'))
    await settle()
  }
}

/** Lets everything run that needs no time to pass. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

export interface World {
  readonly queryClient: QueryClient
  readonly client: ScriptedClient
  readonly database: Database
  readonly binding: TagBinding
  /** The server's data change, and it says so; delivered at once. */
  change(): void
}

interface WorldOptions extends Partial<BindTagsOptions> {
  readonly config?: QueryClientConfig
  readonly client?: ScriptedClient
  /** What is in the cache before it is bound. */
  readonly prepare?: (queryClient: QueryClient) => unknown
}

export function createWorld({ client = new ScriptedClient(), prepare, ...options }: WorldOptions = {}): World {
  const queryClient = new QueryClient({
    ...options.config,
    defaultOptions: { queries: { staleTime: Infinity, retry: false }, ...options.config?.defaultOptions },
  })
  prepare?.(queryClient)
  const database = new Database()
  const bind = process.env['PLAIN_INVALIDATION'] ? bindPlainly : bindTags
  const binding = bind({ queryClient, client, ...options })
  const change = (): void => {
    database.value++
    client.invalidate(['value'])
  }
  return { queryClient, client, database, binding, change }
}
