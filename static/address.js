// Where a reload leads, and the language switch: to the attempt that the page shows.

export function remember(id) {
  const address = new URL(location.href);
  address.searchParams.set("onboarding", id);
  address.searchParams.delete("new");
  history.replaceState(null, "", address);
  const next = document.querySelector('.languages input[name="next"]');
  if (next) next.value = address.pathname + address.search;
}
