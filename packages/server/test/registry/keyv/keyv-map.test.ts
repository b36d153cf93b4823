import { Keyv } from 'keyv'
import { describeKeyv } from './support/describe-keyv.ts'

describeKeyv('a Keyv over a Map', async () => ({ keyv: new Keyv() }))
