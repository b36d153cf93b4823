import { createFileRoute, Outlet } from '@tanstack/react-router'
import { DemoShell } from '#/components/demo-shell'
import TanStackQueryProvider from '#/integrations/tanstack-query/root-provider'
import { userQuery } from '#/lib/queries'

export const Route = createFileRoute('/_live')({
  // Who is signed in decides about the scope of the stream.
  loader: ({ context: { queryClient } }) => queryClient.ensureQueryData(userQuery),
  component: Live,
})

/** Every demo but two: the frame of the two windows needs no stream of its own, and the persisted page has a cache of its own. */
function Live() {
  return (
    <TanStackQueryProvider>
      <DemoShell>
        <Outlet />
      </DemoShell>
    </TanStackQueryProvider>
  )
}
