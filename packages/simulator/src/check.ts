import type { Query } from '@tanstack/query-core'
import { heldTags, readingsOf, type Reading } from './queries.ts'
import type { Page } from './page.ts'
import { SCOPES, scopesOf } from './people.ts'
import type { World } from './world.ts'

/** What is not as it was promised, once nothing has happened for long enough. */
export function findLosses(world: World): string[] {
  const copy = world.reader.outdated().map((id) => `the plain reader was not told of ${id}`)
  const losses = world.pages.flatMap((page) => [
    ...page.queryClient
      .getQueryCache()
      .getAll()
      .flatMap((query) => lossOf(world, page, query)),
    ...[...page.listeners]
      .filter(({ id, version }) => !world.database.isCurrent(id, version))
      .map(({ id, version }) => `${page.name} was not told of ${id} after version ${version}`),
  ])
  return [...copy, ...losses]
}

function lossOf({ database }: World, page: Page, query: Query): string[] {
  const { data, isInvalidated, status } = query.state
  const isShown = query.isActive() && status !== 'error'
  // What is marked and not shown may be as old as it likes.
  if (data === undefined || (isInvalidated && !isShown)) return []
  const held = heldTags(query)
  if (held.length === 0) return []
  const old = readingsOf(data).flatMap(({ versions, guess }: Reading) =>
    Object.entries(versions)
      .filter(([id, version]) => guess !== undefined || !database.isCurrent(id, version))
      .map(([id]) => id)
      .filter((id) => database.isTaggedWith(id, held)),
  )
  if (old.length === 0 && !isInvalidated) return []
  const what = isInvalidated ? 'an active query left behind' : 'old data that are not marked'
  return [
    `${what}: ${page.name} ${query.queryHash} ${JSON.stringify(data)} with ${JSON.stringify(held)}, old: ${old.join()}`,
  ]
}

/** What servers hold is for streams that are open, and nothing is left of others. */
export function checkIndexes({ sim, servers, network }: World): void {
  for (const server of servers) {
    if (!server.isUp) continue
    const { connections, watchedTags } = server.system.stats()
    const served = network.open.filter(
      (exchange) => exchange.server === server && exchange.isStream && exchange.isServed,
    )
    if (connections > served.length)
      sim.fail(`${server.name} has ${connections} connections, of ${served.length} streams`)
    let most = 0
    for (const scope of [undefined, ...SCOPES]) {
      const inScope = served.filter(
        ({ user }) => scope === undefined || scopesOf(user).some(({ id }) => id === scope.id),
      )
      most += new Set(inScope.flatMap(({ watched }) => [...watched])).size
    }
    if (watchedTags > most) sim.fail(`${server.name} has ${watchedTags} watched tags, of ${most} that were asked for`)
  }
}

/** Connections that no peer holds any longer. */
export function countGhosts({ servers, network }: World): number {
  const connections = servers.reduce(
    (count, server) => count + (server.isUp ? server.system.stats().connections : 0),
    0,
  )
  return connections - network.streams.length
}

/** Bounds that hold at any time. */
export function checkBounds(world: World): void {
  const { sim, servers, maxBacklogBytes } = world
  for (const server of servers) {
    if (!server.isUp) continue
    const { connections, backlogBytes } = server.system.stats()
    if (backlogBytes > 0) sim.saw('merged backlog')
    if (backlogBytes > connections * maxBacklogBytes)
      sim.fail(`${server.name} keeps ${backlogBytes} bytes for ${connections} slow readers`)
  }
}
