import type { Receipt } from '@query-tags/core'
import { withInvalidates } from '@query-tags/query-core'
import type { MutationOptions } from '@tanstack/query-core'
import type { Api } from './api.ts'
import type { Row } from './database.ts'
import type { Page } from './page.ts'
import type { Reading } from './queries.ts'
import type { Sim } from './sim.ts'
import type { Writer } from './writer.ts'

type Options = MutationOptions<readonly Receipt[], Error, void, Reading | null>

/** Changes a row through the API: with or without an optimistic update, a declaration of its tags, and use of the receipt. */
export async function mutate(sim: Sim, page: Page, api: Api, writer: Writer, row: Row): Promise<void> {
  const { random } = sim
  const { client, queryClient } = page
  const options = {
    retry: false,
    mutationFn: () => api.call(() => writer.write([row], random.between(0, 300))),
    ...(random.chance(0.5) && optimistically(page, row.id)),
  } satisfies Options
  const declared: Options = random.chance(0.6) ? withInvalidates(options, [row.tag]) : options
  const receipts = await queryClient.getMutationCache().build(queryClient, declared).execute()
  if (!random.chance(0.7)) return
  for (const receipt of receipts) client.applyReceipt(receipt)
  sim.saw('applied own receipt', page.name)
}

/** As TanStack Query's guide does it: cancel, keep what was there, write a guess, and roll back when it fails. */
function optimistically({ queryClient, mayWrite }: Page, id: string): Pick<Options, 'onMutate' | 'onError'> {
  return {
    async onMutate() {
      await queryClient.cancelQueries({ queryKey: [id] })
      const before = queryClient.getQueryData<Reading>([id])
      // An app that rolls back to a guess of its own is past help.
      if (!mayWrite || !before || before.guess !== undefined) return null
      queryClient.setQueryData<Reading>([id], { ...before, guess: 'the new text' })
      return before
    },
    onError(_error, _variables, before) {
      if (before) queryClient.setQueryData<Reading>([id], before)
    },
  }
}
