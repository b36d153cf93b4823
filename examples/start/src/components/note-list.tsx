import { useFlash, useWasShown } from '@query-tags/example-spa/components/use-flash.ts'

export function NoteList({ label, notes }: { label: string; notes: readonly string[] | undefined }) {
  const isArrival = useWasShown(notes !== undefined)
  return (
    <ul className="rows" aria-label={label}>
      {notes?.map((note, index) => (
        <Note key={index} note={note} isArrival={isArrival} />
      ))}
    </ul>
  )
}

function Note({ note, isArrival }: { note: string; isArrival: () => boolean }) {
  const row = useFlash<HTMLLIElement>(note, isArrival)
  return (
    <li ref={row} className="row">
      <span className="row-title">{note}</span>
    </li>
  )
}
