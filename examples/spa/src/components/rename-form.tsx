import { useState } from 'react'

interface RenameFormProps {
  title: string
  onRename: (title: string) => void
  onCancel: () => void
}

/** Edits a title in place: Enter or leaving the field saves, Escape gives up. */
export function RenameForm({ title, onRename, onCancel }: RenameFormProps) {
  const [text, setText] = useState(title)

  const save = () => (text.trim() === '' ? onCancel() : onRename(text.trim()))

  return (
    <form
      className="row-title"
      onSubmit={(event) => {
        event.preventDefault()
        save()
      }}
    >
      <input
        aria-label={`New title of ${title}`}
        value={text}
        autoFocus
        onFocus={(event) => event.target.select()}
        onChange={(event) => setText(event.target.value)}
        onBlur={save}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onCancel()
        }}
      />
    </form>
  )
}
