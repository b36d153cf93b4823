import { isQueryTagsError } from '@query-tags/core'
import { QueryClient } from '@tanstack/react-query'
import { cleanup, render, screen, waitFor } from '@testing-library/react'
import { Component, type ReactNode, StrictMode, version } from 'react'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type InvalidationEvent, TagInvalidationProvider, useInvalidationStatus } from '../src/index.ts'
import { createTaggedWorld } from './tagged-world.tsx'

afterEach(cleanup)
afterEach(() => vi.unstubAllGlobals())

const streams = (requests: string[]) => requests.filter((line) => line === 'POST /api/invalidator').length

describe('TagInvalidationProvider', () => {
  it('refetches a query whose tag the server invalidates, and no other', async () => {
    const world = createTaggedWorld()
    render(
      <TagInvalidationProvider client={world.createClient()}>
        <Status />
        <world.Value name="todos" />
        <world.Value name="notes" />
      </TagInvalidationProvider>,
      { wrapper: world.withQueryClient },
    )
    await screen.findByText('live')
    await screen.findByText('todos 1')
    const notesReads = world.reads.notes

    await world.change('todos')

    await screen.findByText('todos 2')
    expect(world.reads.notes).toBe(notesReads)
  })

  it('sees the first fetch of a query below it begin, so that an invalidation meanwhile is not lost', async () => {
    const world = createTaggedWorld()
    render(
      <TagInvalidationProvider client={world.createClient()}>
        <world.Value name="todos" />
      </TagInvalidationProvider>,
      { wrapper: world.withQueryClient },
    )

    await world.change('todos')

    expect(await screen.findByText('todos 2')).toBeTruthy()
  })

  it('opens one stream in StrictMode, and keeps the queries current', async () => {
    const world = createTaggedWorld()
    render(
      <StrictMode>
        <TagInvalidationProvider client={world.createClient()}>
          <Status />
          <world.Value name="todos" />
        </TagInvalidationProvider>
      </StrictMode>,
      { wrapper: world.withQueryClient },
    )
    await screen.findByText('live')

    await world.change('todos')

    await screen.findByText('todos 2')
    expect(streams(world.requests)).toBe(1)
    expect(world.system.stats().connections).toBe(1)
  })

  it('leaves no connection behind when it unmounts', async () => {
    const world = createTaggedWorld()
    const { unmount } = render(
      <TagInvalidationProvider client={world.createClient()}>
        <Status />
      </TagInvalidationProvider>,
      { wrapper: world.withQueryClient },
    )
    await screen.findByText('live')

    unmount()

    await waitFor(() => expect(world.system.stats().connections).toBe(0))
  })

  it('catches up with what it missed when the same client is mounted again', async () => {
    const world = createTaggedWorld()
    const client = world.createClient()
    const app = (
      <TagInvalidationProvider client={client}>
        <Status />
        <world.Value name="todos" />
      </TagInvalidationProvider>
    )
    const { unmount } = render(app, { wrapper: world.withQueryClient })
    await screen.findByText('live')
    await screen.findByText('todos 1')
    unmount()
    await world.change('todos')

    render(app, { wrapper: world.withQueryClient })

    expect(await screen.findByText('todos 2')).toBeTruthy()
  })

  it('does not bind again when the scope is another object with the same content', async () => {
    const world = createTaggedWorld({ scope: { kind: 'user', id: '7' } })
    const client = world.createClient()
    const app = () => (
      <TagInvalidationProvider client={client} scope={{ kind: 'user', id: '7' }}>
        <Status />
      </TagInvalidationProvider>
    )
    const { rerender } = render(app(), { wrapper: world.withQueryClient })
    await screen.findByText('live')

    rerender(app())

    await screen.findByText('live')
    expect(streams(world.requests)).toBe(1)
  })

  it('binds again when the scope changes', async () => {
    const world = createTaggedWorld({ scope: { kind: 'user', id: '7' } })
    const client = world.createClient()
    const { rerender } = render(
      <TagInvalidationProvider client={client}>
        <Status />
      </TagInvalidationProvider>,
      { wrapper: world.withQueryClient },
    )
    await screen.findByText('live')

    rerender(
      <TagInvalidationProvider client={client} scope={{ kind: 'user', id: '7' }}>
        <Status />
      </TagInvalidationProvider>,
    )

    await waitFor(() => expect(streams(world.requests)).toBe(2))
    await screen.findByText('live')
  })

  it('moves to another client', async () => {
    const world = createTaggedWorld()
    const app = (client: ReturnType<typeof world.createClient>) => (
      <TagInvalidationProvider client={client}>
        <Status />
        <world.Value name="todos" />
      </TagInvalidationProvider>
    )
    const { rerender } = render(app(world.createClient()), { wrapper: world.withQueryClient })
    await screen.findByText('live')

    rerender(app(world.createClient()))

    await waitFor(() => expect(streams(world.requests)).toBe(2))
    await screen.findByText('live')
    await waitFor(() => expect(world.system.stats().connections).toBe(1))
    await world.change('todos')
    await screen.findByText('todos 2')
  })

  it.each([
    [undefined, '/api/invalidator'],
    ['/live', '/live'],
  ])('makes its own HTTP client: apiBasePath %s asks %s', async (apiBasePath, path) => {
    const world = createTaggedWorld({ basePath: path })
    vi.stubGlobal('fetch', world.reach)
    render(
      <TagInvalidationProvider apiBasePath={apiBasePath}>
        <Status />
      </TagInvalidationProvider>,
      { wrapper: world.withQueryClient },
    )

    await screen.findByText('live')

    expect(world.requests).toEqual([`POST ${path}`])
  })

  it('binds the query client it is given rather than the one in context', async () => {
    const world = createTaggedWorld()
    const other = new QueryClient()
    other.setQueryData(['todos'], 1)
    other
      .getQueryCache()
      .find({ queryKey: ['todos'] })
      ?.setOptions({ queryKey: ['todos'], meta: { tags: [['todos']] } })
    const events: InvalidationEvent[] = []
    render(
      <TagInvalidationProvider client={world.createClient()} queryClient={other} onInvalidation={(e) => events.push(e)}>
        <Status />
        <world.Value name="todos" />
      </TagInvalidationProvider>,
      { wrapper: world.withQueryClient },
    )
    await screen.findByText('live')

    await world.change('todos')

    await waitFor(() => expect(other.getQueryState(['todos'])?.isInvalidated).toBe(true))
    expect(world.queryClient.getQueryState(['todos'])?.isInvalidated).toBe(false)
  })

  it('tells the latest onInvalidation, without binding again', async () => {
    const world = createTaggedWorld()
    const client = world.createClient()
    const first = vi.fn<(event: InvalidationEvent) => void>()
    const second = vi.fn<(event: InvalidationEvent) => void>()
    const app = (onInvalidation: typeof first) => (
      <TagInvalidationProvider client={client} onInvalidation={onInvalidation}>
        <Status />
        <world.Value name="todos" />
      </TagInvalidationProvider>
    )
    const { rerender } = render(app(first), { wrapper: world.withQueryClient })
    await screen.findByText('live')
    rerender(app(second))
    first.mockClear()

    await world.change('todos')

    await waitFor(() => expect(second).toHaveBeenCalledWith(expect.objectContaining({ source: 'stream' })))
    expect(second.mock.lastCall?.[0].queries.map((query) => query.queryKey)).toEqual([['todos']])
    expect(first).not.toHaveBeenCalled()
    expect(streams(world.requests)).toBe(1)
  })
})

// oxlint-disable-next-line vitest/no-conditional-tests -- in happy-dom an effect's error falls through React 18's error boundaries
if (version.startsWith('19')) {
  it('refuses a client that another provider has', () => {
    const world = createTaggedWorld()
    const client = world.createClient()
    vi.spyOn(console, 'error').mockImplementation(() => {})

    render(
      <ErrorCode>
        <TagInvalidationProvider client={client} />
        <TagInvalidationProvider client={client} />
      </ErrorCode>,
      { wrapper: world.withQueryClient },
    )

    expect(screen.getByText('already-bound')).toBeTruthy()
  })
}

function Status() {
  return <output>{useInvalidationStatus().state}</output>
}

/** Shows the code of an error below it. */
class ErrorCode extends Component<{ children: ReactNode }, { code?: string }> {
  override state: { code?: string } = {}

  static getDerivedStateFromError(error: unknown): { code: string } {
    return { code: isQueryTagsError(error) ? error.code : String(error) }
  }

  override render(): ReactNode {
    return this.state.code ?? this.props.children
  }
}
