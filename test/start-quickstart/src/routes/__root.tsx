import { createRootRoute, HeadContent, Scripts } from '@tanstack/react-router'
import TanStackQueryProvider from '#/integrations/tanstack-query/root-provider'

export const Route = createRootRoute({
  head: () => ({ meta: [{ charSet: 'utf-8' }, { title: 'Quickstart' }], links: [{ rel: 'icon', href: 'data:,' }] }),
  shellComponent: ({ children }) => (
    <html lang="en">
      <head>
        <HeadContent />
      </head>
      <body>
        <TanStackQueryProvider>{children}</TanStackQueryProvider>
        <Scripts />
      </body>
    </html>
  ),
})
