import { createCsrfMiddleware, createStart } from '@tanstack/react-start'

/** By itself Start refuses cross-site calls of server functions only; this covers the POST of server routes, too. */
const csrf = createCsrfMiddleware({
  filter: ({ handlerType, request }) => handlerType === 'serverFn' || request.method === 'POST',
})

export const startInstance = createStart(() => ({ requestMiddleware: [csrf] }))
