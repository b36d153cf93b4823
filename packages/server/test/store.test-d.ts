import KeyvRedis from '@keyv/redis'
import KeyvValkey from '@keyv/valkey'
import { createTagInvalidationSystem, type KeyvStore } from '@query-tags/server'
import { Keyv } from 'keyv'
import { Keyv as Keyv6 } from 'keyv-6'
import { expectTypeOf, it } from 'vitest'

it('takes any Keyv as store', () => {
  expectTypeOf(new Keyv()).toExtend<KeyvStore>()
  expectTypeOf(new Keyv6()).toExtend<KeyvStore>()
  expectTypeOf(new Keyv<string>({ store: new KeyvRedis('redis://localhost') })).toExtend<KeyvStore>()
  expectTypeOf(new Keyv({ store: new KeyvValkey('redis://localhost') })).toExtend<KeyvStore>()
})

it('refuses a store that is not in a Keyv', () => {
  // @ts-expect-error Wrap it: new Keyv({ store: … }).
  void (() => createTagInvalidationSystem({ store: new KeyvRedis('redis://localhost') }))
})
