import { AddForm } from '@query-tags/example-spa/components/add-form.tsx'
import { useFlash } from '@query-tags/example-spa/components/use-flash.ts'
import { useMutation } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { Hint } from '#/components/hint'
import { NoteList } from '#/components/note-list'
import { addNoteMutation } from '#/lib/mutations'
import { fetchNotes } from '#/lib/server-functions'
import { appTags } from '#/lib/tag-contract'

export const Route = createFileRoute('/_live/loaders')({
  staticData: { tags: [appTags.notes.list()] },
  staleTime: Infinity,
  loader: async () => ({ notes: await fetchNotes(), loadedAt: new Date().toISOString().slice(11, 19) }),
  component: Loaders,
})

function Loaders() {
  const { notes, loadedAt } = Route.useLoaderData()
  const addNote = useMutation(addNoteMutation)
  const time = useFlash<HTMLSpanElement>(loadedAt)
  return (
    <>
      <Hint title="Loaders">
        <p>
          No query here: the route says <code>{'staticData: { tags }'}</code>, and its loader reads the notes.{' '}
          <b>Add a note</b>, here or in another window: the loader runs again. Change a todo elsewhere: it does not.
        </p>
      </Hint>
      <section className="card">
        <h2>Notes</h2>
        <NoteList label="Notes" notes={notes} />
        <AddForm label="New note" placeholder="Add a note" mutation={addNote} />
        <p className="empty">
          Loaded at <span ref={time}>{loadedAt}</span> UTC
        </p>
      </section>
    </>
  )
}
