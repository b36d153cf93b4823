import { EventEmitter } from 'node:events'
import { DatabaseSync } from 'node:sqlite'

/**
 * A store for Keyv in a SQLite file, on the SQLite that Node brings: what an app has without a native package. `NORMAL` survives the end of
 * the process; an app may want `FULL`, which survives the end of the machine, too.
 */
export class SqliteStore extends EventEmitter {
  readonly opts = { dialect: 'sqlite', url: '' }
  namespace?: string
  readonly #database: DatabaseSync

  constructor(file: string) {
    super()
    this.#database = new DatabaseSync(file)
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000')
    this.#database.exec('CREATE TABLE IF NOT EXISTS keyv (key TEXT PRIMARY KEY, value TEXT NOT NULL)')
  }

  async get(key: string): Promise<string | undefined> {
    return this.#database.prepare('SELECT value FROM keyv WHERE key = ?').get(key)?.['value'] as string | undefined
  }

  async getMany(keys: string[]): Promise<(string | undefined)[]> {
    return Promise.all(keys.map((key) => this.get(key)))
  }

  async set(key: string, value: string): Promise<void> {
    this.#database.prepare('INSERT OR REPLACE INTO keyv (key, value) VALUES (?, ?)').run(key, value)
  }

  async delete(key: string): Promise<boolean> {
    return this.#database.prepare('DELETE FROM keyv WHERE key = ?').run(key).changes > 0
  }

  async clear(): Promise<void> {
    this.#database.exec('DELETE FROM keyv')
  }

  async disconnect(): Promise<void> {
    this.#database.close()
  }
}
