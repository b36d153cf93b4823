const kept = globalThis as { keptByExample?: Map<string, unknown> }

/**
 * Makes something once per process. When a module of the server changes in development, all of them are evaluated again; open streams,
 * sessions and rows are those of the first time.
 */
export function keep<T>(name: string, make: () => T): T {
  const things = (kept.keptByExample ??= new Map())
  if (!things.has(name)) things.set(name, make())
  return things.get(name) as T
}
