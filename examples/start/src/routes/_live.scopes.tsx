import type { User } from '@query-tags/example-shared/users'
import { AddForm } from '@query-tags/example-spa/components/add-form.tsx'
import { Card } from '@query-tags/example-spa/components/card.tsx'
import { useMutation, useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { Hint } from '#/components/hint'
import { NoteList } from '#/components/note-list'
import { UserSwitch } from '#/components/user-switch'
import { addNoteMutation, addPrivateNoteMutation } from '#/lib/mutations'
import { notesQuery, privateNotesQuery, userQuery } from '#/lib/queries'

export const Route = createFileRoute('/_live/scopes')({
  loader: async ({ context: { queryClient } }) => {
    const user = await queryClient.ensureQueryData(userQuery)
    await Promise.all([
      queryClient.ensureQueryData(notesQuery),
      user && queryClient.ensureQueryData(privateNotesQuery(user.id)),
    ])
  },
  component: Scopes,
})

function Scopes() {
  const { data: user = null } = useQuery(userQuery)
  const notes = useQuery(notesQuery)
  const addNote = useMutation(addNoteMutation)
  return (
    <>
      <Hint title="Scopes">
        <p>
          <b>Sign in as Ada here, and as Grace in a private window. Add a private note</b>: Ada's other windows fetch
          it, and Grace's log stays empty, though the tag is the same for both. A shared note is heard by everybody.{' '}
          <b>Sign out</b>: the streams of that user end at once, in all of her windows.
        </p>
      </Hint>
      <section className="card" aria-label="Session">
        <UserSwitch user={user} />
      </section>
      {user && <PrivateNotes key={user.id} user={user} />}
      <Card title="Shared notes" query={notes}>
        <NoteList label="Shared notes" notes={notes.data} />
        <AddForm label="New note" placeholder="Add a note for everybody" mutation={addNote} />
      </Card>
    </>
  )
}

function PrivateNotes({ user }: { user: User }) {
  const notes = useQuery(privateNotesQuery(user.id))
  const addNote = useMutation(addPrivateNoteMutation)
  return (
    <Card title={`Notes of ${user.name}`} query={notes}>
      <NoteList label="Private notes" notes={notes.data} />
      <AddForm label="New private note" placeholder={`Add a note for ${user.name} alone`} mutation={addNote} />
    </Card>
  )
}
