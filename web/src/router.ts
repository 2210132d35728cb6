/** The whole router: three kinds of page need no library. */
import { ref } from "vue";

/** The path shown now, as the browser has it (percent-encoded). */
export const path = ref(location.pathname);

window.addEventListener("popstate", () => {
  path.value = location.pathname;
});

/** Goes to another page of ours without a reload. */
export function navigate(to: string): void {
  history.pushState(null, "", to);
  path.value = location.pathname;
  window.scrollTo(0, 0);
}
