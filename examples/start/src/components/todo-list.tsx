import { useFlash } from '@query-tags/example-spa/components/use-flash.ts'
import type { Todo } from '#/lib/db'

interface TodoListProps {
  todos: readonly Todo[] | undefined
  onToggle: (id: string) => void
}

export function TodoList({ todos, onToggle }: TodoListProps) {
  return (
    <ul className="rows" aria-label="Todos">
      {todos?.map((todo) => (
        <TodoRow key={todo.id} todo={todo} onToggle={onToggle} />
      ))}
    </ul>
  )
}

function TodoRow({ todo, onToggle }: { todo: Todo; onToggle: (id: string) => void }) {
  const row = useFlash<HTMLLIElement>(`${todo.name} ${todo.done}`)
  return (
    <li ref={row} className="row" data-done={todo.done}>
      <label className="row-title">
        <input type="checkbox" checked={todo.done} onChange={() => onToggle(todo.id)} /> {todo.name}
      </label>
    </li>
  )
}
