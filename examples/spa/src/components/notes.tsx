import type { Note } from '@query-tags/example-shared/database'
import { useMutation, useQuery } from '@tanstack/react-query'
import { addNoteMutation } from '../lib/mutations.ts'
import { notesQuery } from '../lib/queries.ts'
import { useUser } from '../lib/session.ts'
import { AddForm } from './add-form.tsx'
import { Card } from './card.tsx'
import { useFlash, useWasShown } from './use-flash.ts'

/** Their tag is not the todos' tag, so a change of todos costs them no request. Those of a user are in a scope of that user. */
export function Notes() {
  const user = useUser()
  const notes = useQuery(notesQuery(user))
  const isArrival = useWasShown(notes.isSuccess)
  const addNote = useMutation(addNoteMutation(user))
  return (
    <Card title={user ? `Notes of ${user.name}` : 'Notes'} query={notes}>
      <ul className="rows" aria-label="Notes">
        {notes.data?.map((note) => (
          <NoteRow key={note.id} note={note} isArrival={isArrival} />
        ))}
      </ul>
      <AddForm label="New note" placeholder="Add a note" mutation={addNote} />
    </Card>
  )
}

function NoteRow({ note, isArrival }: { note: Note; isArrival: () => boolean }) {
  const row = useFlash<HTMLLIElement>(note.text, isArrival)
  return (
    <li ref={row} className="row">
      <span className="row-title">{note.text}</span>
    </li>
  )
}
