import type { UseMutationResult } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

interface AddFormProps {
  label: string
  placeholder: string
  mutation: UseMutationResult<unknown, Error, string>
}

/** One line of text and a button. The text stays until the server took it. */
export function AddForm({ label, placeholder, mutation }: AddFormProps) {
  const [text, setText] = useState('')

  function submit(event: FormEvent) {
    event.preventDefault()
    if (text.trim() === '' || mutation.isPending) return
    mutation.mutate(text.trim(), { onSuccess: () => setText('') })
  }

  return (
    <form className="add" onSubmit={submit}>
      <input
        aria-label={label}
        placeholder={placeholder}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button className="button primary">Add</button>
      {mutation.error && <p className="problem">{mutation.error.message}</p>}
    </form>
  )
}
