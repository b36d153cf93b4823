/** Keeps this page and its scripts in the browser, so that it opens without a network, too. See public/offline.js. */
export async function keepPage(): Promise<void> {
  // In development scripts have no names that change with their content.
  if (!import.meta.env.PROD || !navigator.onLine || !('serviceWorker' in navigator)) return
  const loaded = performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)
  const paths = new Set([location.pathname, ...loaded.filter((path) => path.startsWith('/assets/'))])
  const cache = await caches.open('persisted-page')
  await cache.addAll(paths)
  for (const request of await cache.keys()) if (!paths.has(new URL(request.url).pathname)) await cache.delete(request)
  await navigator.serviceWorker.register('/offline.js', { scope: location.pathname })
}
