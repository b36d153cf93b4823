import { type Scope, withTags } from '@query-tags/core'
import { createHTTPInvalidatorClient } from '@query-tags/http-client'
import { createTagInvalidationSystem } from '@query-tags/server'
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query'
import { cleanup, render, screen, waitFor } from '@testing-library/react'
import { afterEach, describe, expect, it } from 'vitest'
import { TagInvalidationProvider } from '../src/index.ts'

afterEach(cleanup)

const expectToSee = (text: string): Promise<HTMLElement> => screen.findByText(text)
const userScope = (user: string): Scope => ({ kind: 'user', id: user })

/** A server with sessions, of which the page has one at a time, and an API that answers as who asked. */
function createSessionWorld({ user }: { user: string | undefined }) {
  const world = { user }
  const system = createTagInvalidationSystem({
    resolveScope: (current: string | undefined) => (current === undefined ? [] : userScope(current)),
  })
  const handle = system.createAPIHandler({ context: () => world.user })
  const createClient = () =>
    createHTTPInvalidatorClient({
      fetch: (path, init) => handle(new Request(new URL(path as string, location.href), init)),
    })
  const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity, retry: false } } })
  const held: (() => void)[] = []
  let isHeld = false

  async function readNotes(): Promise<string> {
    const owner = world.user ?? 'everyone'
    if (isHeld) await new Promise<void>((resolve) => held.push(resolve))
    return `notes of ${owner}`
  }
  function Notes() {
    const { data } = useQuery(withTags({ queryKey: ['notes'], queryFn: readNotes }, [['notes']]))
    return <p>{data}</p>
  }
  const client = createClient()
  const page = ({ scope, client: other = client }: { scope: Scope | undefined; client?: typeof client }) => (
    <QueryClientProvider client={queryClient}>
      <TagInvalidationProvider client={other} scope={scope}>
        <Notes />
      </TagInvalidationProvider>
    </QueryClientProvider>
  )
  return {
    world,
    system,
    queryClient,
    createClient,
    page,
    holdFetches: () => void (isHeld = true),
    releaseFetches: () => {
      isHeld = false
      for (const release of held.splice(0)) release()
    },
    isFresh: () =>
      queryClient
        .getQueryCache()
        .find({ queryKey: ['notes'] })
        ?.isStale() === false,
    connected: () => waitFor(() => expect(client.status.state).toBe('live')),
  }
}

describe('nothing of the user before stays fresh, without a reload (guarantee 8)', () => {
  it.each([
    ['another user logs in', 'ada', 'grace'],
    ['the user logs out', 'ada', undefined],
    ['a visitor logs in', undefined, 'ada'],
  ])('when %s and the scope prop says so', async (_, before, after) => {
    const { world, page, connected } = createSessionWorld({ user: before })
    const { rerender } = render(page({ scope: before && userScope(before) } as never))
    await connected()
    await expectToSee(`notes of ${before ?? 'everyone'}`)

    world.user = after
    rerender(page({ scope: after === undefined ? undefined : userScope(after) }))

    await expectToSee(`notes of ${after ?? 'everyone'}`)
  })

  it('when the app takes another client for another user', async () => {
    const { world, page, connected, createClient } = createSessionWorld({ user: 'ada' })
    const { rerender } = render(page({ scope: userScope('ada') }))
    await connected()
    await expectToSee('notes of ada')

    world.user = 'grace'
    rerender(page({ scope: userScope('grace'), client: createClient() }))

    await expectToSee('notes of grace')
  })

  it('when a fetch of the user before lands after the switch', async () => {
    const { world, page, connected, holdFetches, releaseFetches, queryClient } = createSessionWorld({ user: 'ada' })
    const { rerender } = render(page({ scope: userScope('ada') }))
    await connected()
    await expectToSee('notes of ada')
    holdFetches()
    void queryClient.refetchQueries()

    world.user = 'grace'
    rerender(page({ scope: userScope('grace') }))
    await connected()
    releaseFetches()

    await expectToSee('notes of grace')
  })

  it('when only the server knows: the stream of the session that ended comes back as another user', async () => {
    const { world, page, connected, system } = createSessionWorld({ user: 'ada' })
    render(page({ scope: undefined }))
    await connected()
    await expectToSee('notes of ada')

    world.user = 'grace'
    await system.disconnect({ scope: userScope('ada') })

    await expectToSee('notes of grace')
  })

  it('when only the server knows: the stream of the session that ended comes back as a visitor', async () => {
    const { world, page, connected, system } = createSessionWorld({ user: 'ada' })
    render(page({ scope: undefined }))
    await connected()
    await expectToSee('notes of ada')

    world.user = undefined
    await system.disconnect({ scope: userScope('ada') })

    await expectToSee('notes of everyone')
  })

  it('at once: before the new stream is open the old data count as outdated', async () => {
    const { world, page, connected, isFresh, holdFetches } = createSessionWorld({ user: 'ada' })
    const { rerender } = render(page({ scope: userScope('ada') }))
    await connected()
    await expectToSee('notes of ada')
    holdFetches()

    world.user = 'grace'
    rerender(page({ scope: userScope('grace') }))

    expect(isFresh()).toBe(false)
  })
})

it('the wish of a scope that is not the session’s is refused, and nothing is heard of it (guarantee 11)', async () => {
  const { page, system } = createSessionWorld({ user: 'ada' })
  render(page({ scope: userScope('grace') }))

  await expectToSee('notes of ada')
  expect(system.stats().connections).toBe(0)
})
