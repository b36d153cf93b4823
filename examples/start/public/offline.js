// The service worker of the persisted page: without a network it answers with the page and the scripts that the page kept
// (src/lib/keep-page.ts). Nothing else goes through it, so it can't answer a refetch with old data.
const kept = new Set(['document', 'script', 'style'])

self.addEventListener('fetch', (event) => {
  const { request } = event
  if (!kept.has(request.destination)) return
  event.respondWith(fetch(request).catch(async (error) => (await caches.match(request)) ?? Promise.reject(error)))
})
