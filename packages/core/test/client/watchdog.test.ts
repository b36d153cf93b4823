import { describe, expect, it, vi } from 'vitest'
import { Watchdog } from '../../src/client/watchdog.ts'
import { FakeEnvironment } from './fake-environment.ts'

describe('the watchdog', () => {
  it('reports a stream that was silent for its limit, once (guarantee 9)', async () => {
    const environment = new FakeEnvironment()
    const onSilent = vi.fn<() => void>()
    new Watchdog(environment, onSilent).start(1000)

    await environment.advance(999)
    expect(onSilent).not.toHaveBeenCalled()
    await environment.advance(10_000)
    expect(onSilent).toHaveBeenCalledOnce()
  })

  it('counts from the last byte', async () => {
    const environment = new FakeEnvironment()
    const onSilent = vi.fn<() => void>()
    const watchdog = new Watchdog(environment, onSilent)
    watchdog.start(1000)

    await environment.advance(900)
    watchdog.touch()
    await environment.advance(999)
    expect(onSilent).not.toHaveBeenCalled()
    await environment.advance(1)
    expect(onSilent).toHaveBeenCalledOnce()
  })

  it('believes the wall clock when the monotonic one stood still, as in sleep', () => {
    const environment = new FakeEnvironment()
    const onSilent = vi.fn<() => void>()
    const watchdog = new Watchdog(environment, onSilent)
    watchdog.start(1000)

    watchdog.check()
    expect(onSilent).not.toHaveBeenCalled()
    environment.sleep(1000)
    watchdog.check()
    expect(onSilent).toHaveBeenCalledOnce()
  })

  it('is not fooled by a wall clock that was set back', async () => {
    const environment = new FakeEnvironment()
    const onSilent = vi.fn<() => void>()
    new Watchdog(environment, onSilent).start(1000)

    environment.sleep(-3_600_000)
    await environment.advance(1000)

    expect(onSilent).toHaveBeenCalledOnce()
  })

  it('leaves no timer behind when it is stopped, and says nothing then (guarantee 13)', () => {
    const environment = new FakeEnvironment()
    const onSilent = vi.fn<() => void>()
    const watchdog = new Watchdog(environment, onSilent)
    watchdog.start(1000)

    watchdog.stop()
    environment.sleep(5000)
    watchdog.check()

    expect(environment.leftovers).toBe(0)
    expect(onSilent).not.toHaveBeenCalled()
  })
})
