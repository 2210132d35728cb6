/** The size of an element, in CSS pixels, as it changes. */
import { onScopeDispose, reactive, type Ref, watch } from "vue";

export function useSize(element: Readonly<Ref<HTMLElement | null>>): { width: number; height: number } {
  const size = reactive({ width: 0, height: 0 });
  const observer = new ResizeObserver(([entry]) => {
    if (entry !== undefined) Object.assign(size, { width: entry.contentRect.width, height: entry.contentRect.height });
  });
  watch(element, (current, before) => {
    if (before) observer.unobserve(before);
    if (current) observer.observe(current);
  });
  onScopeDispose(() => observer.disconnect());
  return size;
}
