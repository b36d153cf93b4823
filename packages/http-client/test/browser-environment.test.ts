import type { PageEvent } from '@query-tags/core/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { browserEnvironment } from '../src/browser-environment.ts'

/** A page as far as the environment looks at it. */
class FakePage {
  readonly window = new EventTarget()
  readonly document = Object.assign(new EventTarget(), { visibilityState: 'visible' })

  constructor() {
    vi.stubGlobal('addEventListener', this.window.addEventListener.bind(this.window))
    vi.stubGlobal('document', this.document)
  }

  listen(): { readonly heard: PageEvent[]; readonly stop: () => void } {
    const heard: PageEvent[] = []
    return { heard, stop: browserEnvironment().onPageEvent((event) => heard.push(event)) }
  }
}

afterEach(() => vi.unstubAllGlobals())

describe('the browser’s environment', () => {
  it('says what the page goes through', () => {
    const page = new FakePage()
    const { heard } = page.listen()

    for (const type of ['online', 'offline', 'pagehide', 'pageshow']) page.window.dispatchEvent(new Event(type))
    for (const type of ['freeze', 'resume', 'visibilitychange']) page.document.dispatchEvent(new Event(type))

    expect(heard).toEqual(['online', 'offline', 'frozen', 'restored', 'frozen', 'restored', 'visible'])
  })

  it('says nothing when the page gets hidden', () => {
    const page = new FakePage()
    const { heard } = page.listen()
    page.document.visibilityState = 'hidden'

    page.document.dispatchEvent(new Event('visibilitychange'))

    expect(heard).toEqual([])
  })

  it('says nothing when nobody listens any more (guarantee 13)', () => {
    const page = new FakePage()
    const { heard, stop } = page.listen()

    stop()
    page.window.dispatchEvent(new Event('online'))
    page.document.dispatchEvent(new Event('resume'))

    expect(heard).toEqual([])
  })

  it('is offline only when the browser is sure', () => {
    expect(browserEnvironment().isOnline()).toBe(true)
    vi.stubGlobal('navigator', { onLine: true })
    expect(browserEnvironment().isOnline()).toBe(true)
    vi.stubGlobal('navigator', { onLine: false })
    expect(browserEnvironment().isOnline()).toBe(false)
    vi.stubGlobal('navigator', undefined)
    expect(browserEnvironment().isOnline()).toBe(true)
  })

  it('counts from when the page began to load, by both clocks', () => {
    const environment = browserEnvironment()
    const { loadedAt } = environment

    expect(loadedAt.now).toBe(0)
    expect(environment.wallNow() - loadedAt.wall - environment.now()).toBeLessThan(1000)
  })

  it('cancels its timers', async () => {
    const environment = browserEnvironment()
    const called = vi.fn<() => void>()

    environment.after(1, called)()
    await new Promise<void>((resolve) => environment.after(10, resolve))

    expect(called).not.toHaveBeenCalled()
  })

  it('is fine without a page, as in Node and on a server render', () => {
    const stop = browserEnvironment().onPageEvent(() => {})

    expect(stop).not.toThrow()
  })
})
