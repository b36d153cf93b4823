import { Keyv } from 'keyv'
import { Keyv as Keyv6 } from 'keyv-6'
import { describeKeyv } from '../../support/describe-keyv.ts'
import { SqliteStore } from '../../support/sqlite-store.ts'

describeKeyv('a Keyv over a Map', async () => ({ keyv: new Keyv() }))

describeKeyv('a Keyv 6 over a Map', async () => ({ keyv: new Keyv6() }))

describeKeyv('a Keyv 6 over SQLite', async () => ({ keyv: new Keyv6({ store: new SqliteStore(':memory:') }) }))
