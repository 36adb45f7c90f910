"""What the ledger refuses before it is written: a second budget for the same people, and more than the policy."""

from __future__ import annotations

from fractions import Fraction

from tuckpoint.errors import InputError, PrivacyError
from tuckpoint.privacy.account import round_up
from tuckpoint.privacy.book import Book, Holder, Policy, Spend, alike
from tuckpoint.privacy.posting import allows


def same(spend: Spend, source: str | None, people: str | None) -> bool:
    """Whether a spend was on this very table, or on these very people."""
    return (source is not None and spend.source == source) or (people is not None and spend.people == people)


def check_people(book: Book, holder: Holder, part: str | None, source: str | None, people: str | None) -> None:
    """Refuse to charge people under a second name, or under two parts that were declared disjoint.

    A table that was charged as the whole population holds people of every part.
    """
    for spend in book.spends.values():
        if not same(spend, source, people):
            continue
        what = "this very table" if same(spend, source, None) else "the set of these very people"
        before = f"{what} was charged to population {spend.holder} before (entry {spend.number}, by {spend.who})"
        if holder not in book.first or book.first[holder] != book.first[spend.holder]:
            raise PrivacyError(f"{before}; as {holder} it would have a second budget. {_way_out(holder, spend.holder)}")
        if part is not None and spend.holder == holder and _elsewhere(book, holder, part, spend):
            was = "the whole population" if spend.part is None else f'part "{spend.part}"'
            raise PrivacyError(
                f'{before} as {was}, so it is not within part "{part}" alone; charge the whole population (no --part)'
            )


def check_name(book: Book, holder: Holder, *, on_purpose: bool) -> None:
    """Refuse an account that a slip would open: with a name like another's, or for the same people by another unit."""
    for other in book.first:
        if other.population != holder.population and alike(other.population) == alike(holder.population):
            raise InputError(
                f'there is an account of "{other.population}"; use that name, or one that nobody takes for it, '
                f'instead of "{holder.population}"'
            )
        if other.population == holder.population and not on_purpose:
            raise PrivacyError(
                f'population "{holder.population}" is accounted per {other.unit}; per {holder.unit} it would have a '
                f"second budget. Use --unit {other.unit}, or open a second account on purpose: tuckpoint ledger policy"
            )


def check_policy(book: Book, spend: Spend) -> None:
    """Refuse a spend, entered in the book already, that the policy does not hold; take it out again then."""
    holder = spend.holder
    policy = book.policy(holder)
    if _within(book, holder, policy):
        return
    del book.spends[spend.number]
    rho, delta = book.total(book.of(holder))
    spent, fitting = policy.epsilon_spent(rho, delta), policy.epsilon_fitting(book.left(holder, spend.part), delta)
    told = "all delta is" if spent is None else f"epsilon {spent:.4g} is"
    fits = f"one more release of up to epsilon {fitting:.3g} fits (rho {float(book.left(holder, spend.part)):.6g})"
    beside = f" and a failure chance of {round_up(spend.delta):.3g}" if spend.delta else ""
    raise PrivacyError(
        f"population {holder}: a release of rho {round_up(spend.rho):.6g} "
        f"(epsilon {policy.epsilon_spent(spend.rho, Fraction(0)):.4g}){beside} is refused, and nothing was spent. Of "
        f"{allows(policy)}, {told} spent; at that delta {fits if fitting else 'nothing more fits'}. Ask for less; draw "
        "from a model that is fitted, which is free; or have who answers for these people raise the policy (tuckpoint "
        "ledger policy)"
    )


def check_spent(book: Book, holder: Holder, policy: Policy) -> None:
    """Refuse a policy below what is spent."""
    if _within(book, holder, policy):
        return
    spent = policy.epsilon_spent(*book.total(book.of(holder)))
    told = "more than this delta" if spent is None else f"epsilon {spent:.4g} at this delta"
    raise PrivacyError(
        f"population {holder}: a policy of {allows(policy)} is below what is spent already, {told}; "
        "what is spent cannot be taken back"
    )


def _within(book: Book, holder: Holder, policy: Policy) -> bool:
    rho, delta = book.total(book.of(holder))
    return rho <= policy.limit(delta) and delta <= policy.delta


def _elsewhere(book: Book, holder: Holder, part: str, spend: Spend) -> bool:
    """Whether a spend says that its people are in another part of the same partition, or in all."""
    if spend.part is None:
        return True
    return spend.part != part and book.partition(holder, part) == book.partition(holder, spend.part)


def _way_out(holder: Holder, before: Holder) -> str:
    name = [f'--population "{before.population}"'] if before.population != holder.population else []
    unit = [f"--unit {before.unit}"] if before.unit != holder.unit else []
    overlap = "" if unit else "; to keep both names, make them one account: tuckpoint ledger share"
    return f"Use {' '.join(name + unit)}{overlap}"
