import { isQueryTagsError } from '@query-tags/core'
import { act, cleanup, render, renderHook, screen, waitFor } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type InvalidatorClient,
  TagInvalidationProvider,
  useInvalidateLocally,
  useInvalidationStatus,
  useTagListener,
} from '../src/index.ts'
import { createTaggedWorld } from './tagged-world.tsx'

afterEach(cleanup)

let world: ReturnType<typeof createTaggedWorld>
let client: InvalidatorClient
beforeEach(() => {
  world = createTaggedWorld()
  client = world.createClient()
})

function wrapper({ children }: { children: ReactNode }) {
  return world.withQueryClient({
    children: <TagInvalidationProvider client={client}>{children}</TagInvalidationProvider>,
  })
}

const live = () => waitFor(() => expect(client.status.state).toBe('live'))

describe('outside a provider', () => {
  it.each([
    ['useInvalidationStatus', () => useInvalidationStatus()],
    ['useInvalidateLocally', () => useInvalidateLocally()],
    ['useTagListener', () => useTagListener([['todos']], () => {})],
  ])('%s says what it needs', (name, useIt) => {
    vi.spyOn(console, 'error').mockImplementation(() => {})

    let thrown: unknown
    try {
      renderHook(useIt)
    } catch (error) {
      thrown = error
    }

    expect(isQueryTagsError(thrown, 'no-provider')).toBe(true)
    expect(String(thrown)).toContain(`${name}() needs a <TagInvalidationProvider>`)
  })
})

describe('useInvalidationStatus', () => {
  it('goes from connecting to live, and to waiting when the server is gone', async () => {
    const seen: string[] = []
    renderHook(() => seen.push(useInvalidationStatus().state), { wrapper })
    await live()

    await world.system.close()

    await waitFor(() => expect(seen.at(-1)).toBe('waiting'))
    expect(seen[0]).toBe('connecting')
    expect(seen).toContain('live')
  })
})

describe('useInvalidateLocally', () => {
  it('refetches matching queries of this page, by a function that never changes', async () => {
    const { result, rerender } = renderHook(() => useInvalidateLocally(), { wrapper })
    render(<world.Value name="todos" />, { wrapper: world.withQueryClient })
    await live()
    await screen.findByText('todos 1')
    const reads = world.reads.todos
    const before = result.current

    rerender()
    act(() => result.current([['todos']]))

    await waitFor(() => expect(world.reads.todos).toBe(reads + 1))
    expect(result.current).toBe(before)
  })

  it('does nothing once the provider is gone', () => {
    const { result, unmount } = renderHook(() => useInvalidateLocally(), { wrapper })
    unmount()

    expect(() => result.current([['todos']])).not.toThrow()
  })
})

describe('useTagListener', () => {
  it('calls back for tags that no query has', async () => {
    const callback = vi.fn<(tags: unknown) => void>()
    renderHook(() => useTagListener([['clock']], callback), { wrapper })
    await live()
    callback.mockClear()

    await world.system.invalidateTags({ tags: [['other']] })
    await world.system.invalidateTags({ tags: [['clock']] })

    await waitFor(() => expect(callback).toHaveBeenCalledOnce())
    expect(callback).toHaveBeenCalledWith([['clock']])
  })

  it('calls the callback of the latest render', async () => {
    const first = vi.fn<(tags: unknown) => void>()
    const second = vi.fn<(tags: unknown) => void>()
    const { rerender } = renderHook(({ callback }) => useTagListener([['clock']], callback), {
      wrapper,
      initialProps: { callback: first },
    })
    await live()
    rerender({ callback: second })
    first.mockClear()

    await world.system.invalidateTags({ tags: [['clock']] })

    await waitFor(() => expect(second).toHaveBeenCalledOnce())
    expect(first).not.toHaveBeenCalled()
  })

  it('asks the server once for tags of the same content', async () => {
    const { rerender } = renderHook(
      ({ extra }) => {
        useTagListener([['clock']], () => {})
        useTagListener(extra, () => {})
      },
      { wrapper, initialProps: { extra: [] as [string][] } },
    )
    await live()
    const requests = world.requests.length
    rerender({ extra: [] })
    rerender({ extra: [] })

    rerender({ extra: [['weather']] })

    await waitFor(() => expect(world.requests.slice(requests)).toEqual(['POST /api/invalidator/watch']))
  })

  it('listens to other tags when they change', async () => {
    const callback = vi.fn<(tags: unknown) => void>()
    const { rerender } = renderHook(({ tag }) => useTagListener([[tag]], callback), {
      wrapper,
      initialProps: { tag: 'clock' },
    })
    await live()
    rerender({ tag: 'weather' })
    callback.mockClear()

    await world.system.invalidateTags({ tags: [['clock']] })
    await world.system.invalidateTags({ tags: [['weather']] })

    await waitFor(() => expect(callback).toHaveBeenCalled())
    expect(callback.mock.calls.map(([tags]) => tags)).toEqual([[['weather']]])
  })

  it('goes along to another client', async () => {
    const callback = vi.fn<(tags: unknown) => void>()
    const { rerender } = renderHook(() => useTagListener([['clock']], callback), { wrapper })
    await live()
    client = world.createClient()
    rerender()
    await live()
    callback.mockClear()

    await world.system.invalidateTags({ tags: [['clock']] })

    await waitFor(() => expect(callback).toHaveBeenCalledOnce())
  })

  it('stops when it unmounts', async () => {
    const callback = vi.fn<(tags: unknown) => void>()
    const other = vi.fn<(tags: unknown) => void>()
    const app = (isShown: boolean) => (
      <>
        {isShown && <ClockListener onEvent={callback} />}
        <ClockListener onEvent={other} />
      </>
    )
    const { rerender } = render(app(true), { wrapper })
    await live()
    rerender(app(false))
    callback.mockClear()

    await world.system.invalidateTags({ tags: [['clock']] })

    await waitFor(() => expect(other).toHaveBeenCalledWith([['clock']]))
    expect(callback).not.toHaveBeenCalled()
  })
})

function ClockListener({ onEvent }: { onEvent: (tags: unknown) => void }) {
  useTagListener([['clock']], onEvent)
  return null
}
