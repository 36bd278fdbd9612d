import tomllib
from pathlib import Path
from time import perf_counter

import pytest

import gdbench as gd
from gdbench.errors import GdbenchError
from gdbench.kernels import schedules
from gdbench.suite import builtin_names, plan, spec
from gdbench.suite.execute import execute

BASE = {"problems": [{"data": "diabetes"}], "solvers": [{"optimizer": "gd"}]}


def check(tmp_path=Path("."), **changes):
    return spec.check(BASE | changes, tmp_path / "mine.toml")


def test_defaults():
    made = check()
    assert made.seeds == tuple(range(9))
    assert made.tuning_seeds == (10000, 10001, 10002)
    assert made.targets == (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    assert made.headline == 1e-3
    assert made.problems[0].name == "diabetes"
    assert made.budget.epochs == 50


@pytest.mark.parametrize(
    ("given", "rates"),
    [
        ([0.1, 1], (0.1, 1.0)),
        (0.5, (0.5,)),
        ({"linspace": [0.1, 0.3, 3]}, (0.1, 0.2, 0.3)),
        ({"logspace": [1e-4, 1.0, 5]}, (1e-4, 1e-3, 1e-2, 1e-1, 1.0)),
    ],
)
def test_grids(given, rates):
    assert check(learning_rates=given).learning_rates == rates


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, "mine.toml: seed: unknown key 'seed'; did you mean 'seeds'?"),
        ({"seeds": 0}, "mine.toml: seeds: at least one seed is needed, not 0"),
        ({"seeds": 10**9}, "mine.toml: seeds: at most 10000 seeds are possible, not 1000000000"),
        ({"seeds": [-1]}, "seeds[0] = -1"),
        ({"seeds": [3, 4], "tuning_seeds": [4]}, "seed 4 is among seeds and tuning_seeds"),
        ({"headline": 1e-7}, "headline 1e-07 is none of the targets: 0.1, 0.01, 0.001, 0.0001, 1e-05, 1e-06"),
        (
            {"budget": {"epoch": 3}},
            "budget.epoch: unknown key 'epoch'; did you mean 'epochs'? choose from: epochs, updates",
        ),
        ({"budget": {"epochs": 0}}, "budget.epochs = 0: must be at least 1"),
        ({"budget": {"epochs": "many"}}, "budget.epochs = 'many': must be a whole number"),
        ({"learning_rates": {"geomspace": [1, 2, 3]}}, "did you mean 'logspace'? choose from: linspace, logspace"),
        (
            {"learning_rates": {"logspace": [1, 2]}},
            "learning_rates: logspace must be [first, last, number], not [1, 2]",
        ),
        ({"learning_rates": {"logspace": [0.1, 1, 10**9]}}, "must be a whole number in [1, 10000], not 1000000000"),
        ({"solvers": [{"learning_rates": {"linspace": [0.1, 1, 0]}}]}, "must be a whole number in [1, 10000], not 0"),
        ({"learning_rates": [0.1, -1]}, "a learning rate must be a finite number above 0, not -1"),
        ({"targets": [2.0]}, "targets[0] = 2.0: must be below 1"),
        ({"targets": 2.0}, "targets = 2.0: must be below 1"),
        ({"learning_rates": {}}, "learning_rates: give one of { linspace = [first, last, number] } and { logspace"),
        ({"budget": 3}, "budget = 3: must be a table, such as { key = value }"),
        ({"name": ""}, "name = '': must not be empty"),
        ({"baselines": [3]}, "baselines[0] = 3: must be text, in quotes"),
        ({"tuning": "best"}, "tuning: unknown value 'best'; choose from: time, gap, none"),
        ({"tuning": "none"}, 'tuning = "none" needs exactly one learning rate a solver'),
        ({"baselines": ["sklearm"]}, "baselines: unknown baseline 'sklearm'; did you mean 'sklearn'?"),
        ({"problems": []}, "problems = []: give at least one value"),
        ({"problems": [{"data": "diabets"}]}, "problems[0].data: unknown dataset 'diabets'; did you mean 'diabetes'? choose"),
        ({"problems": [{"data": "nowhere.csv"}]}, "problems[0].data: no such file: nowhere.csv"),
        ({"problems": [{"data": "iris", "loss": "cros_entropy"}]}, "problems[0].loss: unknown loss 'cros_entropy'; did you"),
        ({"problems": [{"data": "iris", "penalty": "l3"}]}, "problems[0].penalty: unknown penalty 'l3'; choose from: elasticnet"),
        ({"problems": [{"data": "iris", "alpha": -1}]}, "problems[0].alpha = -1: must be at least 0"),
        ({"problems": [{"data": "iris", "fit_intercept": 1}]}, "problems[0].fit_intercept = 1: must be true or false"),
        ({"problems": [{"data": "iris", "preprocessing": "standardize"}]}, "problems[0].preprocessing: unknown preprocessing"),
        ({"problems": ["iris"]}, "problems[0] = 'iris': must be a table"),
        (
            {"problems": [{"data": "iris", "losses": 1}]},
            "problems[0].losses: unknown key 'losses'; did you mean 'loss'?",
        ),
        (
            {"solvers": [{"variant": "minibatch"}]},
            "unknown value 'minibatch'; did you mean 'mini-batch'? choose from: batch, ",
        ),
        ({"solvers": [{"optimizer": "adm"}]}, "solvers[0].optimizer: unknown optimizer 'adm'; did you mean"),
        (
            {"solvers": [{"optimizer": {"name": "adam", "beta": 1}}]},
            "solvers[0].optimizer: unknown field of optimizer adam 'beta'",
        ),
        ({"solvers": [{"optimizer": {"name": "adam", "beta1": 2.0}}]}, "beta1"),
        ({"solvers": [{"optimizer": {"beta1": 2.0}}]}, "give a name, or a table such as"),
        ({"solvers": [{"schedule": "cosinus"}]}, "solvers[0].schedule: unknown schedule 'cosinus'"),
        ({"solvers": [{"shuffle": "always"}]}, "solvers[0].shuffle: unknown shuffle 'always'"),
        ({"solvers": [{"optimizer": "saga"}]}, "solvers[0]: optimizer saga needs variant='stochastic', not 'mini-batch'"),
        ({"plugins": ["nowhere.py"]}, "mine.toml: plugins: cannot read nowhere.py"),
    ],
)
def test_errors_name_the_key_the_value_and_the_choices(changes, message):
    with pytest.raises(GdbenchError) as caught:
        check(**changes)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_suite_that_does_not_exist():
    with pytest.raises(GdbenchError, match="unknown suite 'quikstart'; did you mean 'quickstart'"):
        spec.load("quikstart")


def test_a_file_that_is_no_toml(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("seeds = [")
    with pytest.raises(GdbenchError, match=r"a.toml is not valid TOML"):
        spec.load(path)


@pytest.mark.parametrize(("source", "told"), [("1 / 0", "ZeroDivisionError: division by zero"), ("exit(3)", "SystemExit: 3")])
def test_a_plugin_that_fails_is_told(tmp_path, source, told):
    (tmp_path / "mine.py").write_text(f"from sys import exit\n{source}\n")
    for _ in range(2):
        with pytest.raises(GdbenchError, match=f"mine.toml: plugins: mine.py failed with {told}"):
            check(tmp_path, plugins="mine.py")


def test_lists_are_crossed_and_irrelevant_axes_are_not():
    entry = {
        "variant": ["batch", "stochastic", "mini-batch"],
        "batch_size": [16, 32],
        "optimizer": ["gd", {"name": "adam", "beta1": [0.8, 0.9]}],
    }
    made = check(solvers=[entry])
    solvers = [solver for solver, _ in spec.expand_solver(made.solvers[0], made.learning_rates)]
    assert len(solvers) == (1 + 1 + 2) * 3
    labels = [solver.label for solver in solvers]
    assert len(set(labels)) == len(labels)
    assert "mini-batch(16) adam(beta1=0.8)" in labels


def test_options_and_alphas_are_crossed_into_named_problems():
    made = check(problems=[{"data": "regression", "penalty": "l2", "alpha": [0.1, 1.0], "options": {"condition": [10, 100]}}])
    names = [case.name for case in plan.cases(made)]
    assert names == [f"regression[condition={c}, alpha={a}]" for a in ("0.1", "1") for c in (10, 100)]


def test_two_problems_of_one_name():
    with pytest.raises(GdbenchError, match="two problems are called 'diabetes'"):
        plan.make(check(problems=[{"data": "diabetes"}, {"data": "diabetes", "penalty": "l2"}]))


def test_an_option_that_the_data_set_lacks():
    with pytest.raises(GdbenchError, match=r"problem diabetes: unknown option of diabetes 'condition'; choose from: scaled"):
        plan.make(check(problems=[{"data": "diabetes", "options": {"condition": 3}}]))


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        ({"data": "breast_cancer", "loss": "hinge"}, "problem breast_cancer: no certified optimum for hinge"),
        ({"data": "diabetes", "penalty": "l1"}, "problem diabetes: no certified optimum for penalty l1: choose none or l2"),
        ({"data": "diabetes", "penalty": "elasticnet"}, "no certified optimum for penalty elasticnet"),
    ],
)
def test_a_problem_whose_gaps_cannot_be_known_is_not_planned(problem, message):
    with pytest.raises(GdbenchError, match=message):
        plan.make(check(problems=[problem]))


def test_a_value_that_is_there_twice_counts_once():
    made = check(seeds=[0, 3, 0], learning_rates=[0.1, 0.1], targets=[0.1, 0.01, 0.1])
    assert (made.seeds, made.learning_rates, made.targets) == ((0, 3), (0.1,), (0.1, 0.01))


@pytest.mark.parametrize("name", builtin_names())
def test_builtin_suites_are_valid(name):
    made = spec.load(name)
    assert made.name == name
    assert made.title
    assert len({case.name for case in plan.cases(made)}) == sum(1 for _ in plan.cases(made))


def test_quickstart_is_what_it_promises():
    made = spec.load("quickstart")
    solvers = [s for entry in made.solvers for s, _ in spec.expand_solver(entry, made.learning_rates)]
    assert {s.variant for s in solvers} == {"batch", "stochastic", "mini-batch"}
    assert {s.optimizer for s in solvers} == {"gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"}
    assert len(solvers) == 18
    assert len(made.learning_rates) == 7
    assert len(made.seeds) == 13
    assert made.headline == 1e-2
    assert len(made.problems) >= 6
    assert builtin_names()[0] == "quickstart"


TABLES = {spec.Spec: "", spec.Budget: "budget", spec.ProblemSpec: "problems", spec.SolverSpec: "solvers"}
WHOLE = {"problems": [{"data": "diabetes"}], "solvers": [{"optimizer": "gd"}], "headline": 1e-2}


@pytest.mark.parametrize(("model", "name"), [(model, name) for model in TABLES for name in model.model_fields])
def test_every_key_says_what_it_means_and_its_example_is_valid(model, name):
    field = model.model_fields[name]
    assert field.description.endswith(".")
    (example,) = field.examples
    given = tomllib.loads(example)
    assert list(given) == [name]
    if name == "plugins":
        given = {name: []}
    if name == "tuning":
        given["learning_rates"] = [0.1]
    needs = {"landscape": {}, "alpha": {"data": "diabetes", "penalty": "l2"}}.get(name, {"data": "diabetes"})
    part = needs | given if model is spec.ProblemSpec else given
    table = {"budget": {"budget": part}, "problems": {"problems": [part]}, "solvers": {"solvers": [part]}}.get(
        TABLES[model], part
    )
    if part.get("target"):
        part["data"] = "mine.csv"
        assert spec.Spec.model_validate(WHOLE | table).problems[0].target == "price"
        return
    made = spec.check(WHOLE | table, Path("example.toml"))
    where = {spec.Spec: made, spec.Budget: made.budget, spec.ProblemSpec: made.problems[0], spec.SolverSpec: made.solvers[0]}[
        model
    ]
    default = field.get_default(call_default_factory=True)
    assert name in where.model_fields_set
    assert getattr(where, name) != default or name in ("baselines", "plugins", "tuning_seeds")


def test_a_plan_says_what_would_run(tiny):
    made = plan.make(spec.load(tiny))
    first, second = plan.overview(made)
    assert (first["problem"], first["solvers"], first["rates"], first["seeds"], first["runs"]) == ("diabetes", 5, 3, 2, 24)
    assert (second["problem"], second["rows"], second["columns"]) == ("iris", 120, 4)
    assert made.n_runs == first["runs"] + second["runs"]
    assert 0 < made.estimate < 60
    assert made.estimate >= sum(p.estimate for p in made.passes)
    assert plan.describe(made.estimate).endswith(" s")


def test_quick_is_smaller():
    made = spec.quick(spec.load("quickstart"))
    assert (made.seeds, made.tuning_seeds) == ((0,), (10000,))
    assert len(made.learning_rates) == 3
    assert made.budget.epochs == 12


def grid(size):
    return [(i + 1) / (size + 1) for i in range(size)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"seeds": 10_000, "learning_rates": {"logspace": [1e-3, 1.0, 10_000]}},
            r"100,000,000 runs \(10,000 seeds × 10,000 solvers at a learning rate\), but at most 200,000 are possible",
        ),
        (
            {"solvers": [{"optimizer": {"name": "adam", "beta1": grid(1000), "beta2": grid(300), "eps": grid(300)}}]},
            r"solvers\[0\].optimizer: 90,000,000 combinations of the fields of adam \(1,000 beta1 × 300 beta2 × 300 eps\)",
        ),
        (
            {
                "solvers": [
                    {
                        "optimizer": [{"name": "adam", "beta1": grid(100)}],
                        "schedule": [{"name": "invscaling", "power_t": grid(100)}],
                        "batch_size": list(range(1, 1001)),
                    }
                ]
            },
            r"10,000,000 solvers of one entry \(1,000 variants, batch sizes and orders × 100 optimizers × 100 schedules\)",
        ),
        (
            {"problems": [{"data": "ill-conditioned", "alpha": grid(1000), "options": {"condition": list(range(1, 1001))}}]},
            r"1,000,000 problems of ill-conditioned \(1,000 values of alpha × 1,000 values of condition\), but at most 1,000",
        ),
    ],
    ids=["runs", "fields", "solvers", "problems"],
)
def test_the_product_of_lists_is_bounded_before_it_is_expanded(changes, message):
    begin = perf_counter()
    with pytest.raises(GdbenchError, match=message):
        check(**changes)
    assert perf_counter() - begin < 1.0


def test_a_schedule_s_own_learning_rate_is_refused():
    told = (
        r"solvers\[0\]: schedule step: learning_rate = 0.5 would be replaced by .*; give it there, for this solver learning_rates"
    )
    with pytest.raises(GdbenchError, match=told.replace("; give", ": give")):
        check(solvers=[{"schedule": {"name": "step", "learning_rate": 0.5, "every": 10}}])


def test_what_counts_steps_may_be_a_share_of_the_run_s_and_labels_and_keys_say_which():
    words = [{"name": "cosine", "steps": [1, 1.0, 0.5]}, {"name": "warmup", "after": "cosine"}]
    table = check(solvers=[{"schedule": words}], learning_rates=[0.1])
    found = [solver for solver, _ in spec.expand_solver(table.solvers[0], table.learning_rates)]
    assert [solver.label for solver in found] == [
        "mini-batch gd cosine(steps=1)",
        "mini-batch gd cosine(steps=100%)",
        "mini-batch gd cosine(steps=50%)",
        "mini-batch gd warmup(after=cosine)",
    ]
    told = [solver.words()["schedule_fields"] for solver in found]
    assert [text.partition("steps=")[2].split(",")[0] for text in told] == ["1", "1.0", "0.5", "0.1"]
    with pytest.raises(
        GdbenchError, match=r"solvers\[0\].schedule: schedule cosine: steps must be a whole number of steps, or a share"
    ):
        check(solvers=[{"schedule": {"name": "cosine", "steps": 1.5}}])


def test_a_schedule_s_default_falls_until_the_end_of_a_short_run():
    """A default of a thousand steps would leave so few updates at the rate they began with."""
    words = {"problems": [{"data": "diabetes"}], "learning_rates": [0.05], "seeds": 1, "budget": {"epochs": 2}}
    (work,) = plan.make(check(solvers=[{"schedule": "cosine"}], **words)).passes[:1]
    (record,) = execute(work)
    assert record.row["n_updates"] < 50
    fall = schedules.Cosine(0.05, steps=record.row["n_updates"])
    expected = gd.fit(work.case.load(), learning_rate=fall, epochs=2, seed=work.seed)
    assert record.row["objective"] == pytest.approx(expected.objective, rel=1e-12)


def test_what_a_plugin_prints_goes_to_stderr_and_one_that_never_ends_is_told(tmp_path, monkeypatch, capfd):
    (tmp_path / "chatty.py").write_text("import os\nprint('hello')\nos.system('echo from a child')\n")
    check(tmp_path, plugins=["chatty.py"])
    assert capfd.readouterr() == ("", "hello\nfrom a child\n")
    monkeypatch.setattr(spec, "IMPORT_LIMIT", 0.2)
    forgiving = "import time\nwhile True:\n    try:\n        time.sleep(0.01)\n    except Exception:\n        pass\n"
    deaf = "import time\ntry:\n    time.sleep(9)\nexcept:\n    pass\nwhile True:\n    pass\n"
    for text in ("while True:\n    pass\n", forgiving, deaf):
        (tmp_path / "endless.py").write_text(text)
        with pytest.raises(GdbenchError, match=r"plugins: endless.py failed with Overtime: it has not ended after 0.2 s"):
            check(tmp_path, plugins=["endless.py"])
