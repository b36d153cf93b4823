import type { Todo } from '@query-tags/example-shared/database'
import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { deleteTodoMutation, updateTodoMutation } from '../lib/mutations.ts'
import { RenameForm } from './rename-form.tsx'
import { useFlash } from './use-flash.ts'

interface TodoRowProps {
  todo: Todo
  isArrival?: () => boolean
}

/** One todo: done or not, its title, rename, delete. */
export function TodoRow({ todo, isArrival }: TodoRowProps) {
  const row = useFlash<HTMLLIElement>(`${todo.title} ${todo.done}`, isArrival)
  const [renaming, setRenaming] = useState(false)
  const update = useMutation(updateTodoMutation(todo.id))
  const remove = useMutation(deleteTodoMutation(todo.id))
  const problem = update.error ?? remove.error

  function rename(title: string) {
    setRenaming(false)
    if (title !== todo.title) update.mutate({ title })
  }

  return (
    <li ref={row} className="row" data-done={todo.done}>
      <input
        type="checkbox"
        aria-label={`Done: ${todo.title}`}
        checked={todo.done}
        onChange={() => update.mutate({ done: !todo.done })}
      />
      {renaming ? (
        <RenameForm title={todo.title} onRename={rename} onCancel={() => setRenaming(false)} />
      ) : (
        <>
          <Link to="/todos/$id" params={{ id: todo.id }} className="row-title">
            {todo.title}
          </Link>
          <button className="quiet" aria-label={`Rename ${todo.title}`} onClick={() => setRenaming(true)}>
            Rename
          </button>
          <button className="quiet" aria-label={`Delete ${todo.title}`} onClick={() => remove.mutate()}>
            Delete
          </button>
        </>
      )}
      {problem && <p className="problem">{problem.message}</p>}
    </li>
  )
}
