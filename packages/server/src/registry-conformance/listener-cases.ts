import assert from 'node:assert/strict'
import type { Recorded } from '../registry/tag-registry.ts'
import { hear, listen, SCOPE, sortedKeys } from './checks.ts'
import type { Cases } from './registry-under-test.ts'

/** Listeners: what they hear, and when no more. */
export const listenerCases: Cases = {
  'tells listeners each invalidation in order, chained by the position before it': async (under) => {
    const { registry } = under
    const start = await registry.record(SCOPE, [['before']])
    const heard = await listen(registry, SCOPE)

    const first = await registry.record(SCOPE, [['a'], ['b']])
    const second = await registry.record(SCOPE, [['a']])

    await hear(under, heard, 2)
    assert.deepEqual(
      heard.map(({ tags, ...position }) => ({ ...position, keys: sortedKeys(tags) })),
      [
        { ...first, prev: start.seq, keys: sortedKeys([['a'], ['b']]) },
        { ...second, prev: first.seq, keys: sortedKeys([['a']]) },
      ],
    )
  },

  'tells listeners of concurrent writers in one chain': async (under) => {
    const { registry } = under
    const start = await registry.head(SCOPE)
    const heard = await listen(registry, SCOPE)

    await Promise.all(Array.from({ length: 30 }, (_, i) => registry.record(SCOPE, [['t', i]])))

    await hear(under, heard, 30)
    let prev = start.seq
    for (const recorded of heard) {
      assert.equal(recorded.prev, prev)
      assert.ok(recorded.seq > recorded.prev)
      prev = recorded.seq
    }
    assert.equal(prev, (await registry.head(SCOPE)).seq)
  },

  'chains the first message of a scope that was missing to the head that it was created with': async (under) => {
    const { registry } = under
    const heard = await listen(registry, SCOPE)
    const head = await registry.head(SCOPE)

    await registry.record(SCOPE, [['a']])

    await hear(under, heard, 1)
    assert.equal(heard[0]!.epoch, head.epoch)
    assert.equal(heard[0]!.prev, head.seq)
  },

  'does not call a listener after its subscription ended': async (under) => {
    const { registry } = under
    const ended: Recorded[] = []
    const kept = await listen(registry, SCOPE)
    const unsubscribe = await registry.subscribe(SCOPE, (recorded) => ended.push(recorded))

    unsubscribe()
    unsubscribe()
    await registry.record(SCOPE, [['a']])

    await hear(under, kept, 1)
    assert.deepEqual(ended, [])
  },

  'takes one function that is subscribed twice for two listeners': async (under) => {
    const { registry } = under
    const heard: Recorded[] = []
    const listener = (recorded: Recorded): void => {
      if (recorded.tags.length > 0) heard.push(recorded)
    }
    const unsubscribe = await registry.subscribe(SCOPE, listener)
    await registry.subscribe(SCOPE, listener)

    await registry.record(SCOPE, [['a']])
    await hear(under, heard, 2)
    unsubscribe()
    await registry.record(SCOPE, [['b']])

    await hear(under, heard, 3)
  },

  'keeps a listener that subscribes while the only other one leaves': async (under) => {
    const { registry } = under
    const heard: Recorded[] = []
    const unsubscribe = await registry.subscribe(SCOPE, () => undefined)

    const subscribing = registry.subscribe(SCOPE, (recorded) => heard.push(recorded))
    unsubscribe()
    const resubscribe = await subscribing
    await registry.record(SCOPE, [['a']])
    await hear(under, heard, 1)
    resubscribe()
    await listen(registry, SCOPE)
    await registry.record(SCOPE, [['b']])

    await under.elapse(50)
    assert.equal(heard.length, 1)
  },

  'hears again in a scope that nobody listened to for a while': async (under) => {
    const { registry } = under
    const leave = await registry.subscribe(SCOPE, () => undefined)
    leave()
    const between = await registry.record(SCOPE, [['between']])

    const heard = await listen(registry, SCOPE)
    await registry.record(SCOPE, [['a']])

    await hear(under, heard, 1)
    assert.equal(heard[0]!.prev, between.seq)
    assert.deepEqual(heard[0]!.tags, [['a']])
  },

  'lets a listener leave, and another come, within a message': async (under) => {
    const { registry } = under
    const [first, second]: [Recorded[], Recorded[]] = [[], []]
    const subscriptions: Promise<unknown>[] = []
    const leave = await registry.subscribe(SCOPE, (recorded) => {
      leave()
      first.push(recorded)
      subscriptions.push(registry.subscribe(SCOPE, (later) => second.push(later)))
    })

    await registry.record(SCOPE, [['a']])
    await hear(under, first, 1)
    await Promise.all(subscriptions)
    const heardBefore = second.length
    await registry.record(SCOPE, [['b']])

    await hear(under, second, heardBefore + 1)
    assert.equal(first.length, 1)
  },
}
